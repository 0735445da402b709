"""Methods: what there is to know of each saliency method before it runs."""

from __future__ import annotations

from cnnviz_widgets.methods.registry import Method

METHODS: tuple[Method, ...] = ()
