"""One training at some step: its networks, their optimizers, and how they are updated."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import cos, isfinite, pi
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from i2i.batch import Batch
from i2i.errors import TrainingError
from i2i.methods.method import Method, Terms, trained_parameters
from i2i.model.file import load_model, load_state
from i2i.randomness import Stream, derived_seed
from i2i.recipe import Recipe
from i2i.training.checkpoint import MODEL, TRAINING, Checkpoint, load_training
from i2i.training.engine import Engine, unwrap

FilesOf = Callable[[Batch], str]
"""Names a batch's files, for messages."""


@dataclass
class Trainer:
    """A training at some step: everything that changes while it runs.

    Args:
        recipe: What to do.
        engine: Where to do it.
        method: The game; its networks are wrapped by the engine.
        steps_per_epoch: Updates in a pass over the training pairs.
        step: Updates done.
        best: Step and value of the best validation so far.

    Attributes:
        optimizers: By player.
        parameters: By player, those that are trained: a network may have frozen ones.
        average: Of the generator's weights, where the recipe asks for it.
    """

    recipe: Recipe
    engine: Engine
    method: Method
    steps_per_epoch: int
    step: int = 0
    best: tuple[int, float] | None = None
    optimizers: dict[str, torch.optim.Adam] = field(init=False)
    parameters: dict[str, list[nn.Parameter]] = field(init=False)
    average: AveragedModel | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        optimizer = self.recipe.optimizer
        self.parameters = trained_parameters(self.method)
        self.optimizers = {
            player: torch.optim.Adam(
                parameters, optimizer.lr, optimizer.betas, optimizer.eps, fused=True
            )
            for player, parameters in self.parameters.items()
        }
        if self.recipe.train.ema is not None:
            self.average = AveragedModel(
                self.generator,
                multi_avg_fn=get_ema_multi_avg_fn(self.recipe.train.ema),  # type: ignore[no-untyped-call]
            )

    @property
    def generator(self) -> nn.Module:
        """The generator that is trained."""
        return unwrap(self.method.networks["generator"])

    @property
    def model(self) -> nn.Module:
        """The generator to be used: the average of the one that is trained, if there is one."""
        if self.average is None:
            return self.generator
        averaged: nn.Module = self.average.module
        return averaged

    @property
    def total_steps(self) -> int:
        """Updates in the whole training."""
        train = self.recipe.train
        steps = train.epochs * self.steps_per_epoch
        return steps if train.max_steps is None else min(steps, train.max_steps)

    @property
    def epoch(self) -> int:
        """The pass over the data that the next update belongs to, from 0."""
        return self.step // self.steps_per_epoch

    def update(self, batch: Batch, files: FilesOf) -> dict[str, float]:
        """One update of every player; the losses by name, each the mean over the batch's parts."""
        batch = self.engine.place(batch)
        self._set_learning_rate()
        count = self.recipe.train.accumulate
        parts = [batch.part(i, count) for i in range(count)]
        losses: dict[str, float] = {}
        output: Tensor | None = None
        for movers in self.method.rounds:
            for i, part in enumerate(parts):
                last = i == count - 1
                with self.engine.accumulating(self.method.networks.values(), last):
                    output, terms = self._forward(movers, part, i, output)
                    for name, value in self._checked(terms, part, files).items():
                        losses[name] = losses.get(name, 0.0) + value / count
                    self._backward(movers, terms)
            for player in movers:
                self._move(player, batch, files)
                self.optimizers[player].zero_grad()  # now, for the memory
        self.engine.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.generator)
        self.step += 1
        return losses

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update, a function of nothing but the step."""
        schedule = self.recipe.schedule
        progress = self.step / self.total_steps
        falling = max(0.0, (progress - schedule.decay_from) / (1 - schedule.decay_from))
        factor = {
            "constant": 1.0,
            "linear": 1.0 - falling,
            "cosine": (1 + cos(pi * falling)) / 2,
        }[schedule.type]
        return self.recipe.optimizer.lr * factor

    def state(self) -> dict[str, Any]:
        """Everything but the model that a training needs to go on; see `restore`."""
        networks = {
            name: unwrap(network).state_dict()
            for name, network in self.method.networks.items()
            if name != "generator" or self.average is not None
        }
        return {
            "step": self.step,
            "best": list(self.best) if self.best else None,
            "networks": networks,
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "scaler": self.engine.scaler.state_dict(),
            "averaged": int(self.average.n_averaged) if self.average is not None else 0,
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to how things were when a checkpoint was saved.

        Raises:
            CheckpointError: If it was saved by a training of other networks.
        """
        saved = load_training(checkpoint)
        load_model(checkpoint.path / MODEL, self.model)
        for name, tensors in saved["networks"].items():
            network = unwrap(self.method.networks[name])
            load_state(network, tensors, checkpoint.path / TRAINING)
        for name, optimizer in self.optimizers.items():
            _load_moments(optimizer, saved["optimizers"][name])
        self.engine.scaler.load_state_dict(saved["scaler"])
        if self.average is not None:
            self.average.n_averaged.fill_(saved["averaged"])
        self.best = (int(saved["best"][0]), saved["best"][1]) if saved["best"] else None
        self.step = saved["step"]

    def _set_learning_rate(self) -> None:
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate

    def _noise_seed(self, part: int) -> int:
        return derived_seed(
            Stream.TRAINING_NOISE, self.recipe.seed, self.step, self.engine.rank, part
        )

    def _forward(
        self, movers: tuple[str, ...], part: Batch, i: int, output: Tensor | None
    ) -> tuple[Tensor | None, dict[str, Terms]]:
        """The players' terms for a part of the batch, and the output if later rounds can use it.

        A batch of one part is translated once. Of several, each round translates each part anew,
        with the same noise: keeping all their graphs is what parts are there to avoid.

        Raises:
            TrainingError: If a network can't take such a batch.
        """
        whole = self.recipe.train.accumulate == 1
        self.engine.seed(self._noise_seed(i))
        try:
            with self.engine.autocast():
                if output is None:
                    with torch.set_grad_enabled(whole or "generator" in movers):
                        output = self.method.translate(part)
                with self._only(movers):
                    terms = self.method.losses(movers, part, output)
        except ValueError as error:  # such as batch norm's, for one value a channel
            shape = " x ".join(map(str, part.input.shape))
            raise TrainingError(
                f"step {self.step + 1}: a network can't take a batch of {shape}: {error}"
            ) from error
        return output if whole else None, terms

    @contextmanager
    def _only(self, movers: tuple[str, ...]) -> Iterator[None]:
        """Freeze players that are not updated, so that autograd stores nothing for them."""
        frozen = [p for player, own in self.parameters.items() if player not in movers for p in own]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)

    def _backward(self, movers: tuple[str, ...], terms: Mapping[str, Terms]) -> None:
        for player in movers:
            self.engine.backward(
                torch.stack(list(terms[player].values())).sum() / self.recipe.train.accumulate,
                self.parameters[player],
                keep_graph=player != movers[-1],
            )

    def _checked(
        self, terms: Mapping[str, Terms], batch: Batch, files: FilesOf
    ) -> dict[str, float]:
        named = {name: term for player in terms.values() for name, term in player.items()}
        numbers = torch.stack([term.detach().float() for term in named.values()]).tolist()
        values = dict(zip(named, numbers, strict=True))
        for name, value in values.items():
            if not isfinite(value):
                raise TrainingError(
                    f"step {self.step + 1}: the loss '{name}' is {value}; the batch was "
                    f"{files(batch)}. {_LAST_GOOD}"
                )
        return values

    def _move(self, player: str, batch: Batch, files: FilesOf) -> None:
        moved = self.engine.update(
            self.optimizers[player], self.parameters[player], self.recipe.optimizer.clip_norm
        )
        if not moved:
            raise TrainingError(
                f"step {self.step + 1}: the {player}'s gradient is not finite; the batch was "
                f"{files(batch)}. {_LAST_GOOD}"
            )


def _load_moments(optimizer: torch.optim.Adam, state: Mapping[str, Any]) -> None:
    """Load an optimizer's state, laid out in memory as its parameters are.

    Torch's fused Adam on a CPU reads and writes the moments in the parameters' order, and gives
    other updates, without an error, where they were saved in another memory format.
    """
    optimizer.load_state_dict(dict(state))
    for parameter, values in optimizer.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            values[name] = torch.empty_like(parameter).copy_(values[name])


_LAST_GOOD = (
    "The last good checkpoint is kept: lower optimizer.lr or set optimizer.clip_norm, then --resume"
)
