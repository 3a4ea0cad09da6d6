# SPDX-License-Identifier: Apache-2.0
"""Energy of the steps of a torch optimiser, without changing the training loop:

    from carnot.integrations.torch import EnergyHook
    hook = EnergyHook(optimizer)
    ...
    hook.remove()

Imports nothing of torch.
"""
from typing import Any

from ._spans import HasSpans, Spans


class EnergyHook(HasSpans):
    """From one optimiser step to the next is one span of kind "step": loading, forward, backward and
    update. `synchronize` (such as `torch.cuda.synchronize`) is called before each reading, so that
    queued work of an accelerator counts where it belongs."""

    def __init__(self, optimizer: Any, *, synchronize: Any = None, **options: Any) -> None:
        if not hasattr(optimizer, "register_step_post_hook"):
            raise TypeError("optimizer: allowed: one that takes step hooks, as those of torch 2.0 "
                            f"and later do; given: {type(optimizer).__name__}")
        self._spans = Spans(**options)
        self._synchronize = synchronize
        self._hook = optimizer.register_step_post_hook(self._stepped)
        self._spans.begin("step")

    def _stepped(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._synchronize is not None:
            self._synchronize()
        self._spans.end("step")
        self._spans.begin("step")

    def remove(self) -> None:
        """Stops measuring; the step that runs is not counted."""
        self._hook.remove()
        self._spans.drop_all()
