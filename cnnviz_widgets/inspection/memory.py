"""Inspection: what passes found out about a model, so that later ones need not.

In: findings. Out: `Memory`, kept by the `Session` and forgotten with what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnviz_widgets.inspection.ahead import Ahead
    from cnnviz_widgets.inspection.chains import Head
    from cnnviz_widgets.inspection.explained import OwnScores
    from cnnviz_widgets.inspection.tail import TailWay


@dataclass
class Memory:
    """Findings about the model as it is built, and about the inputs and weights of now.

    Attributes
    ----------
    recorded_graph : bool
        Whether gradients need the recorder, which keeps in-place functions from what they need.
    begins_inside : bool
        Whether a pass may begin inside the network, from values that the trace holds.
    begun_at : set of (str, int)
        Calls, by path and number, at which passes began that gave the model's own scores.
    channels_last : bool
        Whether pictures may lie in memory with their channels last.
    one_by_one : bool or None
        Whether a batch gives other scores than its images do one by one; None: not tried yet.
    alone : bool or None
        Whether an image has the same scores without the others of the batch; None: not tried yet.
    logits_fit : bool or None
        Whether what the final softmax is given are logits of the scores; None: not tried yet.
    scores : dict of int to OwnScores
        By image, of the image as it is.
    tails : dict of (str, int) to TailWay
        By layer name and image.
    swaps : dict of (str, int) to int
        By layer name and image: how many channels can be swapped at once; 0 where none can.
    heads : dict of (str, int) to Head or None
        Linear heads, by layer name and image.
    shown_heads : dict of str to bool
        By layer name: whether autograd's notes of a pass show the head that a backward pass gave.
        Looks at other pictures find out, and share it.
    ahead : Ahead or None
        A pass that ran forward and is held for those that come; see `Passes.ahead`.
    """

    recorded_graph: bool = False
    begins_inside: bool = True
    begun_at: set[tuple[str, int]] = field(default_factory=set)
    channels_last: bool = True
    one_by_one: bool | None = None
    alone: bool | None = None
    logits_fit: bool | None = None
    scores: dict[int, OwnScores] = field(default_factory=dict)
    tails: dict[tuple[str, int], TailWay] = field(default_factory=dict)
    swaps: dict[tuple[str, int], int] = field(default_factory=dict)
    heads: dict[tuple[str, int], Head | None] = field(default_factory=dict)
    shown_heads: dict[str, bool] = field(default_factory=dict)
    ahead: Ahead | None = None

    def of_other_values(self) -> Memory:
        """Return what stays true when inputs or weights change."""
        return replace(self, scores={}, tails={}, swaps={}, heads={}, ahead=None)
