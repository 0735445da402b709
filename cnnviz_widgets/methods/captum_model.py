"""Methods: the copy of the model that Captum runs, with its passes counted.

In: the module that `Passes.module` gives. Out: `CountedModel`, the same with a count and a way to
stop it.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from cnnviz_widgets.inspection.scorer import Scorer


class CountedModel(nn.Module):
    """Gives class scores (B, K) of variants (B, ...) of an image's input.

    Parameters
    ----------
    scorer : Scorer
        Holds a copy of the user's model, whose layers have the user's names; its weights are copied
        here too, since Captum's LRP writes to them.
    check : callable
        ``check(passes)`` is called before every pass; what it raises is kept in `stopped`.

    Attributes
    ----------
    forward_passes, backward_passes : int
        So far, each of one input.
    stopped : BaseException or None
        What `check` raised.
    """

    def __init__(self, scorer: Scorer, check: Callable[[int], object]) -> None:
        super().__init__()
        self.scorer = scorer
        _own_weights(scorer.model)
        self._check = check
        self.forward_passes = 0
        self.backward_passes = 0
        self.stopped: BaseException | None = None
        self.eval()

    def layer(self, path: str) -> nn.Module:
        """Return the copy of a module by its path in the user's model."""
        return self.scorer.model.get_submodule(path)

    def forward(self, batch: Tensor) -> Tensor:
        """Return the scores."""
        try:
            self._check(self.forward_passes)
        except BaseException as error:
            self.stopped = error
            raise
        count = len(batch)
        scores: Tensor = self.scorer(batch)
        self.forward_passes += count
        if scores.requires_grad:
            scores.register_hook(lambda _gradient: self._note_backward(count))  # type: ignore[no-untyped-call]  # torch's
        return scores

    def _note_backward(self, count: int) -> None:
        self.backward_passes += count


def _own_weights(model: nn.Module) -> None:
    """Give a model copies of its parameters; those that are tied stay so."""
    twins: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is None:
                continue
            if id(parameter) not in twins:
                twins[id(parameter)] = nn.Parameter(parameter.detach().clone(), requires_grad=False)
            module._parameters[name] = twins[id(parameter)]
