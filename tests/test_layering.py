"""The stages import one way: words -> inspection -> methods -> attribution -> widgets."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cnnviz_widgets

PACKAGE = Path(cnnviz_widgets.__file__).parent
WIDGET_LIBRARIES = {"traitlets", "ipywidgets", "anywidget", "ipycanvas", "IPython"}

# stage -> (stages it may import, third-party packages it may not)
RULES = {
    "words": ({"words"}, WIDGET_LIBRARIES | {"torch", "numpy"}),
    "inspection": ({"words", "inspection"}, WIDGET_LIBRARIES),
    "methods": ({"words", "inspection", "methods"}, WIDGET_LIBRARIES),
    "rendering": ({"rendering"}, WIDGET_LIBRARIES | {"torch"}),
    "attribution": (
        {"words", "inspection", "methods", "rendering", "attribution"},
        WIDGET_LIBRARIES,
    ),
    "streaming": ({"streaming"}, WIDGET_LIBRARIES | {"torch"}),
    "samples": ({"samples"}, WIDGET_LIBRARIES),
}


def imported_names(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, relative ones made absolute."""
    package = [PACKAGE.name, *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, node.module] if node.module else base)
            yield prefix
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("stage", sorted(RULES))
def test_a_stage_imports_only_stages_before_it(stage: str) -> None:
    allowed, forbidden = RULES[stage]
    for path in (PACKAGE / stage).rglob("*.py"):
        for name in imported_names(path):
            head, *rest = name.split(".")
            assert head not in forbidden, f"{path}: {stage} must not import {name}"
            if head == PACKAGE.name and rest and (PACKAGE / rest[0]).is_dir():
                assert rest[0] in allowed, f"{path}: {stage} must not import {name}"


def test_the_check_sees_relative_and_late_imports(tmp_path: Path) -> None:
    """The reader of imports is itself tried on the forms that could slip through."""
    probe = PACKAGE / "rendering" / "probe_that_is_never_written.py"
    source = tmp_path / "probe.py"
    source.write_text("def f():\n    import torch\n    from ..widgets import base\n")

    class Probe:
        def read_text(self, encoding: str) -> str:
            return source.read_text(encoding=encoding)

        def relative_to(self, other: Path) -> Path:
            return probe.relative_to(other)

    names = set(imported_names(Probe()))  # type: ignore[arg-type]  # only the two methods are used
    assert {"torch", "cnnviz_widgets.widgets", "cnnviz_widgets.widgets.base"} <= names


def test_import_brings_in_no_heavy_library() -> None:
    code = (
        "import sys, cnnviz_widgets; dir(cnnviz_widgets);"
        "print(sorted({'torch', 'numpy', 'matplotlib', 'captum', 'ipywidgets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
