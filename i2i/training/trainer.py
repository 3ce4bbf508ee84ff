"""The state of a training (networks, optimizers, step) and how one step updates it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from i2i.batch import Batch
from i2i.errors import CheckpointError, TrainingError
from i2i.methods.method import Method, Terms, trained_parameters
from i2i.model.file import are_finite, load_model, load_state
from i2i.randomness import Stream, derived_seed
from i2i.recipe import Recipe
from i2i.training.checkpoint import MODEL, TRAINING, Checkpoint, load_training
from i2i.training.engine import Engine, unwrap
from i2i.training.saved_state import load_moments, saved_state
from i2i.training.schedule import rate_factor

FilesOf = Callable[[Batch], str]
"""Names the files of a batch, for error messages."""


@dataclass
class Trainer:
    """The state of a training: everything that changes from step to step.

    Args:
        recipe: The recipe.
        engine: The device, the number format and the processes.
        method: The training method; `Engine.wrap` has wrapped its networks.
        steps_per_epoch: Steps in one pass over the training pairs.
        step: Number of steps done.
        best: Step and value of the best validation so far; None before the first one.
        saved_step: Step of the newest checkpoint; None if there is none.

    Attributes:
        optimizers: Adam optimizers by player.
        parameters: Trained parameters by player, without frozen ones.
        average: Moving average of the generator's weights if `train.ema` is set, else None.
    """

    recipe: Recipe
    engine: Engine
    method: Method
    steps_per_epoch: int
    step: int = 0
    best: tuple[int, float] | None = None
    saved_step: int | None = None
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
        """The generator that the optimizer updates."""
        return unwrap(self.method.networks["generator"])

    @property
    def model(self) -> nn.Module:
        """The generator to validate and save: with averaged weights if `train.ema` is set."""
        if self.average is None:
            return self.generator
        averaged: nn.Module = self.average.module
        return averaged

    @property
    def total_steps(self) -> int:
        """Number of steps of the whole training."""
        train = self.recipe.train
        steps = train.epochs * self.steps_per_epoch
        return steps if train.max_steps is None else min(steps, train.max_steps)

    @property
    def epoch(self) -> int:
        """Epoch of the next step, counted from 0."""
        return self.step // self.steps_per_epoch

    def update(self, batch: Batch, files: FilesOf) -> dict[str, float]:
        """Do one step: update every player, round by round.

        With `train.accumulate`, the gradients of several parts of the batch are summed before a
        player is updated.

        Returns:
            The losses by name, each the mean over the parts of the batch.

        Raises:
            TrainingError: If a loss or a gradient is not finite, or a network can't take the batch.
        """
        batch = self.engine.place(batch)
        self._set_learning_rate()
        count = self.recipe.train.accumulate
        parts = [batch.part(i, count) for i in range(count)]
        losses: dict[str, float] = {}
        output: Tensor | None = None
        for players in self.method.rounds:
            for i, part in enumerate(parts):
                last = i == count - 1
                with self.engine.accumulating(self.method.networks.values(), last):
                    output, terms = self._forward(players, part, i, output)
                    for name, value in self._finite_values(terms, part, files).items():
                        losses[name] = losses.get(name, 0.0) + value / count
                    self._backward(players, terms)
            for player in players:
                self._update_player(player, batch, files)
                self.optimizers[player].zero_grad()  # frees the gradients before the next round
        self.engine.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.generator)
        self.step += 1
        return losses

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step; it depends on the step and the recipe only."""
        factor = rate_factor(self.recipe.schedule, self.step / self.total_steps)
        return self.recipe.optimizer.lr * factor

    def state(self) -> dict[str, Any]:
        """Everything but the model that `restore` needs to resume the training.

        `networks` has every network but the generator. With `train.ema` it has the generator too,
        because the model file then stores the averaged weights.
        """
        networks = {n: network.state_dict() for n, network in self._other_networks().items()}
        return {
            "step": self.step,
            "best": list(self.best) if self.best else None,
            "networks": networks,
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "scaler": self.engine.scaler.state_dict(),
            "averaged": int(self.average.n_averaged) if self.average is not None else 0,
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Load a checkpoint: the model, the other networks, the optimizers and the step.

        Raises:
            CheckpointError: If a file can't be read, or the networks have another architecture.
        """
        path = checkpoint.path / TRAINING
        saved = saved_state(load_training(checkpoint), path)
        networks = self._other_networks()
        if networks.keys() != saved.networks.keys():
            raise CheckpointError(
                f"{path}: has the networks {sorted(saved.networks)} instead of {sorted(networks)}"
            )
        load_moments(self.optimizers, saved.optimizers, path)
        load_model(checkpoint.path / MODEL, self.model)
        for name, network in networks.items():
            load_state(network, saved.networks[name], path)
        self.engine.scaler.load_state_dict(saved.scaler)
        if self.average is not None:
            self.average.n_averaged.fill_(saved.averaged)
        self.best = saved.best
        self.step = self.saved_step = saved.step

    def require_finite(self) -> None:
        """Check the weights of all networks, before they are saved.

        Raises:
            TrainingError: If weights are not finite.
        """
        for name, network in {**self.method.networks, "averaged generator": self.model}.items():
            if not are_finite(unwrap(network)):
                raise TrainingError(
                    f"step {self.step}: the {name}'s weights are not finite. {self._advice}"
                )

    def _other_networks(self) -> dict[str, nn.Module]:
        """The networks that `training.pt` has."""
        networks = {name: unwrap(network) for name, network in self.method.networks.items()}
        if self.average is None:
            del networks["generator"]
        return networks

    @property
    def _advice(self) -> str:
        """What to do when the training has diverged."""
        change = "lower optimizer.lr or set optimizer.clip_norm"
        if self.saved_step is None:
            return f"No checkpoint was saved: {change}, and start again"
        return f"The checkpoint of step {self.saved_step} is kept: {change}, then --resume"

    def _set_learning_rate(self) -> None:
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate

    def _noise_seed(self, part: int) -> int:
        return derived_seed(
            Stream.TRAINING_NOISE, self.recipe.seed, self.step, self.engine.rank, part
        )

    def _forward(
        self, players: tuple[str, ...], part: Batch, i: int, output: Tensor | None
    ) -> tuple[Tensor | None, dict[str, Terms]]:
        """Compute the losses of the players of a round on one part of the batch.

        If the batch is one part, it is translated once for all rounds. If it has several parts,
        every round translates each part again, with the same noise: storing the graphs of all
        parts would use the memory that `train.accumulate` is meant to save.

        Args:
            players: The players of the round.
            part: The pairs.
            i: Index of the part.
            output: The generator's output for the part, from an earlier round; None computes it.

        Returns:
            The output for later rounds (None if the batch has several parts), and the losses by
            player.

        Raises:
            TrainingError: If a network can't take a batch of this shape.
        """
        whole = self.recipe.train.accumulate == 1
        self.engine.seed(self._noise_seed(i))
        try:
            with self.engine.autocast():
                if output is None:
                    with torch.set_grad_enabled(whole or "generator" in players):
                        output = self.method.translate(part)
                with self._others_frozen(players):
                    terms = self.method.losses(players, part, output)
        except ValueError as error:  # such as batch norm on a single value per channel
            shape = " x ".join(map(str, part.input.shape))
            raise TrainingError(
                f"step {self.step + 1}: a network can't take a batch of {shape}: {error}"
            ) from error
        return output if whole else None, terms

    @contextmanager
    def _others_frozen(self, players: tuple[str, ...]) -> Iterator[None]:
        """Freeze players that are not updated, so that autograd stores nothing for them."""
        frozen = [
            p for player, own in self.parameters.items() if player not in players for p in own
        ]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)

    def _backward(self, players: tuple[str, ...], terms: Mapping[str, Terms]) -> None:
        """Add the gradient of each player's summed losses to its own parameters."""
        for player in players:
            self.engine.backward(
                torch.stack(list(terms[player].values())).sum() / self.recipe.train.accumulate,
                self.parameters[player],
                keep_graph=player != players[-1],
            )

    def _finite_values(
        self, terms: Mapping[str, Terms], batch: Batch, files: FilesOf
    ) -> dict[str, float]:
        """Read the losses of all players as numbers; raise TrainingError if one is not finite."""
        named = {name: term for player in terms.values() for name, term in player.items()}
        numbers = torch.stack([term.detach().float() for term in named.values()]).tolist()
        values = dict(zip(named, numbers, strict=True))
        for name, value in values.items():
            if not isfinite(value):
                raise TrainingError(
                    f"step {self.step + 1}: the loss '{name}' is {value}; the batch was "
                    f"{files(batch)}. {self._advice}"
                )
        return values

    def _update_player(self, player: str, batch: Batch, files: FilesOf) -> None:
        """Take the player's optimizer step; raise TrainingError if a gradient is not finite."""
        finite = self.engine.update(
            self.optimizers[player], self.parameters[player], self.recipe.optimizer.clip_norm
        )
        if not finite:
            raise TrainingError(
                f"step {self.step + 1}: the {player}'s gradient is not finite; the batch was "
                f"{files(batch)}. {self._advice}"
            )
