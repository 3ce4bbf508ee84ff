"""The models of a training: the networks that are saved and used for translation."""

from collections.abc import Iterator, Mapping

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from i2i.methods.method import Method
from i2i.training.engine import unwrap


class Models(Mapping[str, nn.Module]):
    """The models of a method; with `train.ema`, they have averaged weights.

    Args:
        method: The method.
        ema: Decay of the moving average of the weights; None for no average.
    """

    def __init__(self, method: Method, ema: float | None) -> None:
        self.trained = {name: unwrap(method.networks[name]) for name in method.models}
        self.averages: dict[str, AveragedModel] = {}
        if ema is not None:
            average = get_ema_multi_avg_fn(ema)  # type: ignore[no-untyped-call]
            self.averages = {
                name: AveragedModel(network, multi_avg_fn=average)
                for name, network in self.trained.items()
            }

    def __getitem__(self, name: str) -> nn.Module:
        """The model of a name, as it is saved."""
        if name in self.averages:
            averaged: nn.Module = self.averages[name].module
            return averaged
        return self.trained[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the models, the default one first."""
        return iter(self.trained)

    def __len__(self) -> int:
        """The number of models."""
        return len(self.trained)

    def update(self) -> None:
        """Add the current weights to the averages."""
        for name, average in self.averages.items():
            average.update_parameters(self.trained[name])

    @property
    def averaged(self) -> int:
        """Number of updates of the averages."""
        return max((int(average.n_averaged) for average in self.averages.values()), default=0)

    @averaged.setter
    def averaged(self, number: int) -> None:
        for average in self.averages.values():
            average.n_averaged.fill_(number)
