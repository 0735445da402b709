"""Runs a notebook from top to bottom, and bakes the widgets that it shows.

In: a notebook. Out: the same notebook with outputs and the state of its widgets.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import ipywidgets
import nbformat
from IPython.display import display
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from cnnviz_widgets.widgets.baking import BakedWidget

from .outputs import WIDGET_VIEW

_BAKED = "application/vnd.cnnviz.baked+json"
_BAKE = """
try:
    from cnnviz_widgets.export.execution import bake_shown
except ImportError:
    pass
else:
    bake_shown({ids!r}, {number}, max_mb={max_mb!r})
"""


def execute(
    notebook: nbformat.NotebookNode,
    folder: Path,
    *,
    max_mb: float,
    timeout_s: float = 600.0,
    progress: bool = False,
) -> nbformat.NotebookNode:
    """Run a notebook and bake what it shows.

    Parameters
    ----------
    notebook : NotebookNode
        It is not changed.
    folder : path
        In which it runs.
    max_mb : float
        Most megabytes to bake, for all its widgets together.
    timeout_s : float
        For each cell.
    progress : bool
        Whether a bar on stderr says how far it is.

    Returns
    -------
    NotebookNode
        With outputs, and the widgets' state in its metadata.

    Raises
    ------
    RuntimeError
        A cell raised; the text has its number, its code and the error.

    Warns
    -----
    UserWarning
        Not all that a widget may be asked was baked.
    """
    done = cast("nbformat.NotebookNode", nbformat.from_dict(notebook))
    client = NotebookClient(
        done,
        timeout=int(timeout_s),
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=True,
    )
    with client.setup_kernel():
        cells = tqdm(done.cells, desc="Executing", unit="cell", disable=not progress)
        for number, cell in enumerate(cells):
            _run(client, cell, number)
        _bake(client, max_mb=max_mb, progress=progress)
        client.set_widgets_metadata()
    return done


def _run(client: NotebookClient, cell: nbformat.NotebookNode, number: int) -> None:
    try:
        client.execute_cell(cell, number)
    except CellExecutionError as error:
        count = len(client.nb.cells)
        raise RuntimeError(f"cell {number + 1} of {count} raised:\n{error}") from error


def _bake(client: NotebookClient, *, max_mb: float, progress: bool) -> None:
    """Bake what is shown, in the kernel, one widget after the other."""
    ids = list(_shown(client.nb))
    with tqdm(desc="Baking", unit="widget", disable=not progress) as bar:
        number, count = 0, 1
        while number < count:
            source = _BAKE.format(ids=ids, number=number, max_mb=max_mb)
            said = _said(client, source)
            count, number = said.get("count", 0), number + 1
            bar.total = count
            bar.update(min(1, count))
            if said.get("left_out"):
                warnings.warn(said["left_out"], stacklevel=3)


def _said(client: NotebookClient, source: str) -> Mapping[str, Any]:
    """Run code that is no cell of the notebook; return what `bake_shown` says there."""
    cell = nbformat.v4.new_code_cell(source)
    client.nb.cells.append(cell)
    client.execute_cell(cell, len(client.nb.cells) - 1)
    client.nb.cells.pop()
    found = [output.get("data", {}).get(_BAKED) for output in cell.outputs]
    return next((each for each in found if each), {})


def bake_shown(model_ids: list[str], number: int, *, max_mb: float) -> None:
    """Bake one of the widgets with these model ids or in their boxes; called in the kernel.

    What it shows says how many widgets there are, and what of this one was left out.
    """
    widgets = _ours(model_ids)
    said: dict[str, object] = {"count": len(widgets)}
    if widgets:
        widget = widgets[number]
        baked = widget.bake(max_mb=max_mb / len(widgets))
        if baked.left_out:
            said["left_out"] = f"{widget.title()}: {baked}"
    cast("Any", display)({_BAKED: said}, raw=True)  # Any: IPython has no types


def _ours(model_ids: list[str]) -> list[BakedWidget]:
    found: dict[BakedWidget, None] = {}
    registry: Mapping[str, Any] = ipywidgets.widgets.widget._instances
    waiting = [registry[each] for each in model_ids if each in registry]
    while waiting:
        widget = waiting.pop()
        if isinstance(widget, BakedWidget):
            found[widget] = None
        waiting += getattr(widget, "children", ())
    return list(found)


def _shown(notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get(WIDGET_VIEW)
            if view:
                yield view["model_id"]
