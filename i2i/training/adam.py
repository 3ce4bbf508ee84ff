"""Adam, without the copies that torch's makes of channels-last gradients."""

from typing import Any

import torch
from torch import Tensor


class Adam(torch.optim.Adam):
    """`torch.optim.Adam`, to be used fused: Kingma and Ba, ICLR 2015, algorithm 1.

    On a CPU torch copies every gradient that isn't contiguous in the order of its dimensions, which
    takes as long as the update. But the update is the same whatever order the values lie in, so it
    is handed flat views.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state, laid out in memory as the parameters are now."""
        super().load_state_dict(state_dict)
        for parameter, values in self.state.items():
            for name, value in values.items():
                if name != "step" and value.shape == parameter.shape:
                    values[name] = torch.empty_like(parameter).copy_(value)

    def _init_group(
        self,
        group: dict[str, Any],
        parameters: list[Tensor],
        gradients: list[Tensor],
        averages: list[Tensor],
        squares: list[Tensor],
        *others: list[Tensor],
    ) -> bool:
        has_complex: bool = super()._init_group(  # type: ignore[no-untyped-call]
            group, parameters, gradients, averages, squares, *others
        )
        lists = (parameters, gradients, averages, squares)
        for i, alike in enumerate(zip(*lists, strict=True)):
            if len({tensor.stride() for tensor in alike}) == 1:
                for tensors in lists:
                    tensors[i] = tensors[i].as_strided((tensors[i].numel(),), (1,))
        return has_complex
