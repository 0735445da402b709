"""The README is true: its table of methods is that of the registry, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import cnnviz_widgets as cw
from cnnviz_widgets.methods.registry import Family, methods

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", get_args(Family))
def test_every_method_has_its_row(family: Family) -> None:
    for method in methods(family):
        number = method.paper.removeprefix("arXiv:")
        is_preprint = number != method.paper
        name, place = (number, "arxiv.org/abs") if is_preprint else ("doi", "doi.org")
        paper = f"[{name}](https://{place}/{number})"
        row = f"| `{method.name}` | {method.summary} | {method.passes} | {paper} |"
        assert row in README, f"README.md lacks the row of {method.name!r}: {row}"


def test_no_row_is_of_a_method_that_is_gone() -> None:
    known = {method.name for family in get_args(Family) for method in methods(family)}
    section = README.split("## Methods")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)) == known


def test_every_file_it_links_is_there() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert linked
    missing = [name for name in linked if not (ROOT / name).exists()]
    assert missing == []


def test_every_public_name_it_calls_is_there() -> None:
    named = set(re.findall(r"\bcw\.([A-Za-z_]+)", README))
    assert named <= set(cw.__all__), named - set(cw.__all__)


def test_every_dependency_is_named_with_its_reason() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(
        r'^    "([\w-]+)[>=<]', project.split("dependencies = [")[1].split("]")[0], re.MULTILINE
    )
    assert len(needed) > 5
    rows = README.split("## What it stands on")[1].split("\n## ")[0]
    for name in needed:
        assert re.search(rf"^\| [^|]*\b{name}\b[^|]* \| \w", rows, re.MULTILINE), (
            f"no reason for {name}"
        )
