"""Running a notebook for its page: outputs, baked widgets, errors with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz_widgets.__main__ import main
from tests.export.book import write_book
from tests.export.pages import Parts, page_data

CELLS = [
    "import ipywidgets, torch\nimport cnnviz_widgets as cw",
    "from torch import nn",
    "net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())",
    "insp = cw.Inspector(net, torch.zeros(1, 1, 6, 6))",
    "ipywidgets.VBox([cw.CamSlider(insp), cw.LayerBrowser(insp)])",
    "print('done')",
]


def test_a_notebook_is_run_and_what_it_shows_is_baked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_book(tmp_path / "book.ipynb", *CELLS)
    before = source.read_bytes()
    assert main(["html", str(source), "--execute"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith(f"{tmp_path / 'book.html'}: 0.")
    assert "Executing" in err
    assert "Baking: 100%" in err
    assert "2/2" in err
    # CAM needs a dense layer, which is not there.
    assert "python -m cnnviz_widgets: CamSlider: Baked " in err
    assert "Left out: cam maps of picture 1" in err
    assert source.read_bytes() == before
    html = (tmp_path / "book.html").read_text()
    cams, layers = page_data(html)["widgets"].values()
    assert {answer[0] for answer in cams["answers"]} == {"input", "sweep"}
    assert {answer[0] for answer in layers["answers"]} == {"input", "layer"}
    assert "done" in Parts(html).text
    assert "bake_shown" not in html


def test_an_error_names_the_cell(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = write_book(tmp_path / "book.ipynb", "x = 1", "x / 0")
    assert main(["html", str(source), "-o", str(tmp_path / "page.html"), "--execute"]) == 1
    err = capfd.readouterr().err
    assert "cell 2 of 2 raised" in err
    assert "ZeroDivisionError" in err
    assert not (tmp_path / "page.html").exists()
