"""The state of a training (networks, optimizers, step) and how one step updates it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import nn

from i2i.batch import Batch
from i2i.errors import CheckpointError, TrainingError
from i2i.methods.contract import check_terms, state_of
from i2i.methods.method import Method, Terms, trained_parameters
from i2i.model.file import are_finite, load_model, load_state
from i2i.randomness import Stream, derived_seed
from i2i.recipe import Recipe
from i2i.recipe.assemble import method_title
from i2i.training.checkpoint import TRAINING, Checkpoint, load_training, model_file
from i2i.training.engine import Engine, unwrap
from i2i.training.models import Models
from i2i.training.optimizers import build_optimizers
from i2i.training.play import Play, detached
from i2i.training.saved_state import load_method_state, load_moments, saved_state
from i2i.training.schedule import rate_factor

FilesOf = Callable[[Batch], str]
"""Names the files of a batch, for error messages."""


@dataclass
class Trainer:
    """The state of a training: everything that changes from step to step.

    Args:
        recipe: The recipe.
        engine: The device, the number format and the processes.
        method: The training method; its networks are replaced by those that `Engine.wrap` returns.
        steps_per_epoch: Steps in one pass over the training images.
        step: Number of steps done.
        best: Step and value of the best validation so far; None before the first one.
        saved_step: Step of the newest checkpoint; None if there is none.

    Attributes:
        parameters: Trained parameters by player, without frozen ones.
        optimizers: Adam optimizers by player.
        models: The networks that are saved and used for translation.
    """

    recipe: Recipe
    engine: Engine
    method: Method
    steps_per_epoch: int
    step: int = 0
    best: tuple[int, float] | None = None
    saved_step: int | None = None
    parameters: dict[str, list[nn.Parameter]] = field(init=False)
    optimizers: dict[str, torch.optim.Adam] = field(init=False)
    models: Models = field(init=False)

    def __post_init__(self) -> None:
        networks = self.method.networks
        self.method.networks = {name: self.engine.wrap(n) for name, n in networks.items()}
        self.parameters = trained_parameters(self.method)
        self.optimizers = build_optimizers(self.recipe.optimizer, self.parameters)
        self.models = Models(self.method, self.recipe.train.ema)
        self._play = Play(self.method)

    @property
    def model(self) -> nn.Module:
        """The default model, as it is saved."""
        return self.models["generator"]

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
        self._set_learning_rates()
        count = self.recipe.train.accumulate
        parts = [batch.part(i, count) for i in range(count)]
        losses: dict[str, float] = {}
        played: list[Any] = [None] * count
        for players in self.method.rounds:
            for i, part in enumerate(parts):
                last = i == count - 1
                with self.engine.accumulating(self.method.networks.values(), last):
                    played[i], terms = self._forward(players, part, i, played[i])
                    for name, value in self._finite_values(terms, part, files).items():
                        losses[name] = losses.get(name, 0.0) + value / count
                    self._backward(players, terms)
            for player in players:
                self._update_player(player, batch, files)
                self.optimizers[player].zero_grad()  # frees the gradients before the next round
        self.engine.scaler.update()
        self.models.update()
        self.step += 1
        return losses

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step, without the settings of single players."""
        return self.recipe.optimizer.lr * self._rate_factor

    def state(self) -> dict[str, Any]:
        """Everything but the models that `restore` needs to resume the training.

        `networks` has every network but the models. With `train.ema` it has these too, because the
        model files then store the averaged weights.

        Raises:
            PluginError: If the method's state is not made of tensors.
        """
        method = state_of(self.method, method_title(self.recipe))
        networks = {n: network.state_dict() for n, network in self._other_networks().items()}
        return {
            "step": self.step,
            "best": list(self.best) if self.best else None,
            "networks": networks,
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "scaler": self.engine.scaler.state_dict(),
            "averaged": self.models.averaged,
            "method": {name: tensor.cpu() for name, tensor in method.items()},
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Load a checkpoint: the models, the other networks, the optimizers and the step.

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
        for name, model in self.models.items():
            load_model(checkpoint.path / model_file(name), model)
        for name, network in networks.items():
            load_state(network, saved.networks[name], path)
        load_method_state(self.method, saved.method, path)
        self.engine.scaler.load_state_dict(saved.scaler)
        self.models.averaged = saved.averaged
        self.best = saved.best
        self.step = self.saved_step = saved.step

    def require_finite(self) -> None:
        """Check the weights of all networks, before they are saved.

        Raises:
            TrainingError: If weights are not finite.
        """
        averages = {f"averaged {name}": model for name, model in self.models.items()}
        for name, network in {**self.method.networks, **averages}.items():
            if not are_finite(unwrap(network)):
                raise TrainingError(
                    f"step {self.step}: the {name}'s weights are not finite. {self._advice}"
                )

    def _other_networks(self) -> dict[str, nn.Module]:
        """The networks that `training.pt` has."""
        return {
            name: unwrap(network)
            for name, network in self.method.networks.items()
            if self.models.averages or name not in self.models.trained
        }

    @property
    def _advice(self) -> str:
        """What to do when the training has diverged."""
        change = "lower optimizer.lr or set optimizer.clip_norm"
        if self.saved_step is None:
            return f"No checkpoint was saved: {change}, and start again"
        return f"The checkpoint of step {self.saved_step} is kept: {change}, then --resume"

    @property
    def _rate_factor(self) -> float:
        return rate_factor(self.recipe.schedule, self.step, self.total_steps)

    def _set_learning_rates(self) -> None:
        for player, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.recipe.optimizer.of(player).lr * self._rate_factor

    def _noise_seed(self, part: int) -> int:
        return derived_seed(
            Stream.TRAINING_NOISE, self.recipe.seed, self.step, self.engine.rank, part
        )

    def _forward(
        self, players: tuple[str, ...], part: Batch, i: int, played: Any
    ) -> tuple[Any, dict[str, Terms]]:
        """Compute the losses of the players of a round on one part of the batch.

        If the batch is one part, it is played once for all rounds; otherwise see `Play`.

        Args:
            players: The players of the round.
            part: The images.
            i: Index of the part.
            played: What the method computed for the part in an earlier round; None computes it.

        Returns:
            What was played, for later rounds, and the losses by player.

        Raises:
            TrainingError: If a network can't take a batch of this shape.
        """
        whole = self.recipe.train.accumulate == 1
        self.engine.seed(self._noise_seed(i))
        try:
            with self.engine.autocast():
                if not whole:
                    played = self._play.part(players, part, played, self._others_frozen(players))
                elif played is None:
                    played = self.method.play(part)
                with self._others_frozen(players):
                    terms = self.method.losses(players, part, played)
        except ValueError as error:  # such as batch norm on a single value per channel
            shape = " x ".join(map(str, part.input.shape))
            raise TrainingError(
                f"step {self.step + 1}: a network can't take a batch of {shape}: {error}"
            ) from error
        check_terms(terms, players, method_title(self.recipe))
        return played if whole else detached(played), terms

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
            self.optimizers[player],
            self.parameters[player],
            self.recipe.optimizer.of(player).clip_norm,
        )
        if not finite:
            raise TrainingError(
                f"step {self.step + 1}: the {player}'s gradient is not finite; the batch was "
                f"{files(batch)}. {self._advice}"
            )
