"""Layers sent ahead of the reader, while nobody asks for anything else.

In: the names that a view wants, and how a layer's frame is made. Out: frames of kind "layer", and
one that says which were sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from cnnviz_widgets.streaming.messages import Request, read_names, read_whole
from cnnviz_widgets.streaming.wire import Header

from .base import Frame, Reply


def frames_ahead(
    request: Request, reply: Reply, make: Callable[[str], tuple[Frame, Header]]
) -> Iterator[Frame]:
    """Send layers until the request's bytes are used up or something else is asked for.

    Parameters
    ----------
    request : Request
        Its parameters are "layers", names in the order in which they are wanted, and "bytes".
    reply : Reply
        Says whether another request waits.
    make : callable
        Takes a layer's name; returns its frame, and the parameters under which the view keeps it:
        those of a request of kind "layer".

    Yields
    ------
    Frame
        The layers, marked "prefetch"; the last one says "sent": their names.
    """
    left = read_whole(request.params, "bytes")
    sent: list[str] = []
    for name in read_names(request.params, "layers"):
        if left <= 0 or reply.stale or reply.waiting:
            break
        frame, asked = make(name)
        fields = {**frame.fields, "prefetch": True}
        yield replace(frame, fields=fields, kind="layer", params=asked, final=False)
        left -= sum(array.nbytes for array in frame.arrays.values())
        sent.append(name)
    yield Frame({"sent": sent})
