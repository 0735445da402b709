"""Runs a notebook from top to bottom, and bakes the widgets that it shows.

In: a notebook. Out: the same notebook with outputs and the state of its widgets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import ipywidgets
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from cnnviz_widgets.widgets.baking import Baked, BakedWidget

from .outputs import WIDGET_VIEW

_BAKE = """
try:
    from cnnviz_widgets.export.execution import bake_shown
except ImportError:
    pass
else:
    bake_shown({ids!r}, max_mb={max_mb!r})
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
        bake = nbformat.v4.new_code_cell(_BAKE.format(ids=list(_shown(done)), max_mb=max_mb))
        done.cells.append(bake)
        client.execute_cell(bake, len(done.cells) - 1)
        done.cells.pop()
        client.set_widgets_metadata()
    return done


def _run(client: NotebookClient, cell: nbformat.NotebookNode, number: int) -> None:
    try:
        client.execute_cell(cell, number)
    except CellExecutionError as error:
        count = len(client.nb.cells)
        raise RuntimeError(f"cell {number + 1} of {count} raised:\n{error}") from error


def bake_shown(model_ids: list[str], *, max_mb: float) -> list[Baked]:
    """Bake widgets, by the ids of their models, and all those in boxes; called in the kernel."""
    found: dict[BakedWidget, None] = {}
    registry: Mapping[str, Any] = ipywidgets.widgets.widget._instances
    waiting = [registry[each] for each in model_ids if each in registry]
    while waiting:
        widget = waiting.pop()
        if isinstance(widget, BakedWidget):
            found[widget] = None
        waiting += getattr(widget, "children", ())
    return [widget.bake(max_mb=max_mb / len(found)) for widget in found]


def _shown(notebook: nbformat.NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            view = output.get("data", {}).get(WIDGET_VIEW)
            if view:
                yield view["model_id"]
