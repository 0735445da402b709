"""SketchPad from the kernel's side: the pen's events in, the Inspector's inputs out."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cnnviz_widgets as cw
from cnnviz_widgets.inspection.inspector import Inspector
from cnnviz_widgets.rendering.strokes import Stroke
from cnnviz_widgets.widgets.pictured import STILL_BYTES
from cnnviz_widgets.widgets.sketch_pad import SketchPad
from tests.widgets.digit_strokes import DIGITS, Line

SAMPLE = cw.samples.load("digits")


@pytest.fixture
def pad() -> Iterator[SketchPad]:
    inspector = Inspector(
        SAMPLE.model,
        SAMPLE.images[:2],
        class_names=SAMPLE.class_names,
        mean=SAMPLE.mean,
        std=SAMPLE.std,
    )
    made = SketchPad(inspector)
    yield made
    made.close()


def event(pad: SketchPad, name: str, x: float = 0, y: float = 0) -> None:
    """Let the browser say what the pen did."""
    pad.canvas._handle_frontend_event(None, {"event": name, "x": x, "y": y}, [])


def draw(pad: SketchPad, line: Line) -> None:
    event(pad, "mouse_down", *line[0])
    for point in line[1:]:
        event(pad, "mouse_move", *point)
    event(pad, "mouse_up", *line[-1])


def wait_for(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "the worker did not get there"
        time.sleep(0.005)


def seen(pad: SketchPad) -> bool:
    """Whether the network has been given what is on the paper now."""
    picture = pad.inspector.picture(0)
    return picture is not None and np.array_equal(picture[:, :, 0], pad.picture())


def test_the_ten_digits_are_recognised(pad: SketchPad) -> None:
    recognised = []
    for digit, lines in DIGITS.items():
        pad.clear()
        for line in lines:
            draw(pad, line)
        wait_for(lambda: seen(pad))
        if pad.inspector.predictions(1)[0][0].name == digit:
            recognised.append(digit)
    assert len(recognised) >= 9, recognised


def test_the_network_is_given_what_the_reader_is_shown(pad: SketchPad) -> None:
    draw(pad, DIGITS["5"][0])
    wait_for(lambda: seen(pad))
    ink = torch.from_numpy(pad.picture().astype(np.float32) / 255)
    given = pad.inspector.activation("conv1")
    expected = SAMPLE.model.get_submodule("conv1")(
        (ink[None, None] - SAMPLE.mean[0]) / SAMPLE.std[0]
    )
    torch.testing.assert_close(given, expected.detach())


def test_without_fitting_the_paper_is_seen_as_it_is() -> None:
    inspector = Inspector(SAMPLE.model, SAMPLE.images[:1], mean=SAMPLE.mean, std=SAMPLE.std)
    pad = SketchPad(inspector, fitted=False)
    pad.strokes = (Stroke([(0, 128), (256, 128)], 32),)
    rows, columns = np.nonzero(pad.picture() > 128)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (14, 17, 0, 31)
    pad.close()


def test_the_pen_draws_only_while_it_is_down(pad: SketchPad) -> None:
    event(pad, "mouse_move", 10, 10)
    assert not pad.strokes
    draw(pad, [(10, 10), (20, 20)])
    event(pad, "mouse_move", 90, 90)
    (stroke,) = pad.strokes
    assert stroke.points == ((10, 10), (20, 20))


def test_a_finger_draws_as_a_mouse_does(pad: SketchPad) -> None:
    pad.canvas._touch_start_callbacks([(10, 10), (50, 50)])
    pad.canvas._touch_move_callbacks([(20, 20)])
    pad.canvas._touch_end_callbacks([])
    (stroke,) = pad.strokes
    assert stroke.points == ((10, 10), (20, 20))


def test_undo_clear_brush_and_eraser(pad: SketchPad) -> None:
    assert pad.undo_button.disabled
    assert pad.clear_button.disabled
    pad.brush.value = 30
    draw(pad, [(10, 10), (20, 20)])
    pad.eraser.value = True
    draw(pad, [(0, 0), (60, 60)])
    assert [(stroke.width, stroke.erases) for stroke in pad.strokes] == [(30, False), (30, True)]
    assert not pad.picture().any()
    pad.undo_button.click()
    assert pad.picture().any()
    pad.clear_button.click()
    assert pad.strokes == ()
    assert pad.clear_button.disabled
    wait_for(lambda: "blank" in pad.answer)


def test_class_names_are_text() -> None:
    names = ["<script>alert(1)</script>", *SAMPLE.class_names[1:]]
    inspector = Inspector(
        SAMPLE.model, SAMPLE.images[:1], class_names=names, mean=SAMPLE.mean, std=SAMPLE.std
    )
    pad = SketchPad(inspector)
    draw(pad, DIGITS["0"][0])
    wait_for(lambda: "&lt;script&gt;" in pad.answer)
    assert "<script>" not in pad.answer
    pad.close()


def test_an_error_of_the_model_is_said_and_the_pad_lives_on() -> None:
    broken = SketchPad(Inspector(Fussy(), torch.zeros(1, 1, 8, 8)))
    draw(broken, [(10, 10), (200, 200)])
    wait_for(lambda: "only blank paper" in broken.answer)
    broken.clear()
    wait_for(lambda: "The paper is blank" in broken.answer)
    broken.close()


class Fussy(nn.Module):
    """Takes blank paper only."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.any()):
            raise RuntimeError("only blank paper")
        scores: torch.Tensor = self.conv(x).mean((2, 3))
        return scores


def test_its_still_picture_has_the_paper_what_the_network_gets_and_the_answer(
    pad: SketchPad,
) -> None:
    line = DIGITS["1"][0]
    pad.strokes = (Stroke([(2 * x, 2 * y) for x, y in line], 16),)
    shown = pad._repr_mimebundle_()
    png = base64.b64decode(shown["image/png"])
    assert len(png) <= STILL_BYTES
    still = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert (still[:128, :128] == 255).mean() > 0.02, "ink on the paper"
    given = still[:128, 136:264]
    np.testing.assert_array_equal(given[::4, ::4], pad.picture())
    assert (still[128:] < 128).any(), "a line of words below"


def test_after_close_nothing_is_given_to_the_network(pad: SketchPad) -> None:
    epoch = pad.inspector.epoch
    pad.close()
    pad.strokes = (Stroke([(10, 10)], 5),)
    time.sleep(0.05)
    assert pad.inspector.epoch == epoch


def test_what_is_no_inspector_is_refused() -> None:
    with pytest.raises(TypeError, match=r"inspector=.*is no Inspector; make one with cnnviz"):
        SketchPad(SAMPLE.model)  # type: ignore[arg-type]  # the point of the test


def test_inputs_that_are_no_picture_are_refused() -> None:
    inspector = Inspector(nn.Sequential(nn.Linear(4, 3)), torch.zeros(1, 4))
    with pytest.raises(ValueError, match=r"its inputs are no picture, so there is nothing to draw"):
        SketchPad(inspector)


def test_it_speaks_as_its_reader_does(pad: SketchPad) -> None:
    reader = pad.children[-1]
    names = [
        part.description for part in (pad.brush, pad.eraser, pad.undo_button, pad.clear_button)
    ]
    assert names == ["Brush", "Erase", "Undo", "Clear"]
    reader._preferred = ["zh-CN", "en"]
    names = [
        part.description for part in (pad.brush, pad.eraser, pad.undo_button, pad.clear_button)
    ]
    assert names == ["画笔", "橡皮", "撤销", "清空"]
    assert "换一张新纸" in pad.clear_button.tooltip
    assert "网络看到的图片" in pad.answer
    wait_for(lambda: "画纸是空白的" in pad.answer)
    pad.strokes = (Stroke(((60, 60), (180, 180)), 18, erases=False),)
    wait_for(lambda: "<table>" in pad.answer and "网络看到的图片" in pad.answer)
