"""CUT: one generator, a discriminator, and a contrastive loss between input and output."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

import i2i
from i2i_cut.discriminator import CutPatch
from i2i_cut.draws import Draws
from i2i_cut.features import Features
from i2i_cut.generator import CutResNet
from i2i_cut.nce import patch_nce


@runtime_checkable
class GivesFeatures(Protocol):
    """A generator whose layers can be looked at: `generator(images, layers)` has their results."""

    def feature_channels(self, layers: Sequence[int]) -> tuple[int, ...]:
        """The channels of the results; raises ValueError for layers that can't be looked at."""
        ...


class Played(NamedTuple):
    """What the generator makes of a batch.

    Attributes:
        sources: The inputs, followed by the targets with the identity term.
        outputs: Their translations; mirrored if `flipped`.
        flipped: Whether the generator got mirrored images.
    """

    sources: Tensor
    outputs: Tensor
    flipped: bool


class CUT(i2i.Method):
    """Translation between unpaired images, in one direction: Park et al. 2020, section 3.

    A patch of the output must be more similar to the patch of the input at its place than to other
    patches of the input (PatchNCE). Similar are embeddings of what the generator's own layers see.
    The discriminator moves first, with half of its loss, as in the authors' code; then generator
    and feature network move together.

    Args:
        networks: Builds the networks.
        losses: One adversarial loss, without a condition.
        seed: Seed of the places of patches, and of flips.
        nce_weight: Weight of PatchNCE.
        identity: Whether targets are translated too, and must keep their content like inputs.
            PatchNCE is the mean over both then, as in the authors' code; the paper adds them.
        flip_equivariance: Whether the generator gets mirrored images with probability 1/2. PatchNCE
            compares the output, mirrored back, with the input.
        patches: Number of patches per layer. They are at the same places in all images of a batch.
        temperature: PatchNCE divides similarities by it.
        layers: Numbers of the generator's layers whose results are compared, see `cut_resnet`.
        features: Length of the embeddings.

    Raises:
        ValueError: If there is another loss, the generator's layers can't be looked at, or inputs
            and targets have different channels.
    """

    paired = False
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "augment": {"crop_size": 256, "load_size": 286, "flip": True},
        "generator": {"type": "cut_resnet"},
        "discriminator": {"type": "cut_patch"},
        "schedule": {"type": "linear", "decay_from": 0.5},
        "train": {"epochs": 400},
    }
    example_options: ClassVar[Mapping[str, Any]] = {
        "layers": (0, 4, 8, 12),
        "patches": 16,
        "features": 8,
    }
    example_recipe: ClassVar[Mapping[str, Any]] = {
        "generator": {"type": "cut_resnet", **CutResNet.example_options},
        "discriminator": {"type": "cut_patch", "receptive_field": 16, **CutPatch.example_options},
        "losses": [{"type": "gan"}],
    }

    def __init__(
        self,
        networks: i2i.NetworkFactory,
        losses: i2i.WeightedLosses,
        seed: int,
        *,
        nce_weight: Annotated[float, Gt(0)] = 1.0,
        identity: bool = True,
        flip_equivariance: bool = False,
        patches: Annotated[int, Ge(1)] = 256,
        temperature: Annotated[float, Gt(0)] = 0.07,
        layers: tuple[int, ...] = (0, 4, 8, 12, 16),
        features: Annotated[int, Ge(1)] = 256,
    ) -> None:
        _check_channels(networks)
        self.label, self.loss, self.weight = i2i.only_adversarial(losses)
        generator = networks.generator()
        channels = _feature_channels(generator, layers)
        self.networks = {
            "generator": generator,
            "features": networks.build("features", lambda: Features(channels, features)),
            "discriminator": networks.discriminator("discriminator", loss=self.label),
        }
        self.players = {
            "discriminator": ("discriminator",),
            "generator": ("generator", "features"),
        }
        self.rounds = (("discriminator",), ("generator",))
        self.nce_weight = nce_weight
        self.identity = identity
        self.flip_equivariance = flip_equivariance
        self.patches = patches
        self.temperature = temperature
        self.layers = layers
        self.draws = Draws(seed)
        self.open_parts = 0

    def play(self, batch: i2i.Batch) -> Played:
        """Translate the inputs, and with the identity term the targets."""
        sources = torch.cat([batch.input, batch.target]) if self.identity else batch.input
        flipped = self.flip_equivariance and self.draws.flip()
        outputs = self.networks["generator"](_mirrored(sources) if flipped else sources)
        return Played(sources, outputs, flipped)

    def losses(
        self, movers: tuple[str, ...], batch: i2i.Batch, played: Played
    ) -> dict[str, i2i.Terms]:
        """The losses of the discriminator, or of generator and features, see `i2i.Method.losses`.

        A step is over when the generator has had a loss for every part of the batch that the
        discriminator has had one for.
        """
        outputs = played.outputs[: len(batch.input)]
        judge = self.networks["discriminator"]
        if "discriminator" in movers:
            self.open_parts += 1
            loss = self.loss.of_discriminator(judge(batch.target), judge(outputs.detach()))
            return {"discriminator": {"discriminator": 0.5 * loss}}
        terms = {self.label: self.weight * self.loss.of_generator(judge(outputs))}
        terms |= self._contrastive_terms(played)
        self.open_parts -= 1
        if not self.open_parts:
            self.draws.step += 1
        return {"generator": terms}

    def _contrastive_terms(self, played: Played) -> i2i.Terms:
        parts = self._contrastive(played).chunk(2 if self.identity else 1)
        names = ("nce", "nce.identity")
        return {
            name: self.nce_weight / len(parts) * losses.mean()
            for name, losses in zip(names, parts, strict=False)
        }

    def _contrastive(self, played: Played) -> Tensor:
        """PatchNCE of each image `(N,)`, the mean over the layers."""
        generator, embed = self.networks["generator"], self.networks["features"]
        maps = generator(played.outputs, self.layers)
        if played.flipped:
            maps = [_mirrored(each) for each in maps]
        places = self.draws.places(maps, self.patches)
        queries = embed(maps, places)
        with torch.no_grad():
            keys = embed(generator(played.sources, self.layers), places)
        losses = [patch_nce(q, k, self.temperature) for q, k in zip(queries, keys, strict=True)]
        return torch.stack(losses).mean(0)

    def state_dict(self) -> dict[str, Tensor]:
        """The number of steps done, from which the random draws follow."""
        return {"step": torch.tensor(self.draws.step)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` returned."""
        self.draws.step = int(state["step"])


def _mirrored(images: Tensor) -> Tensor:
    return images.flip(3)


def _check_channels(networks: i2i.NetworkFactory) -> None:
    """Raise ValueError if the generator can't look at its own outputs."""
    inputs, targets = networks.input_channels, networks.target_channels
    if inputs != targets:
        raise ValueError(
            "the generator also looks at outputs and targets, so inputs and targets need equal "
            f"channels, not {inputs} and {targets}: read both in the same mode, or set method.type "
            'to another method, such as "cyclegan"'
        )


def _feature_channels(generator: nn.Module, layers: tuple[int, ...]) -> tuple[int, ...]:
    """The channels of the generator's layers; raise ValueError if they can't be looked at."""
    if isinstance(generator, GivesFeatures):
        return generator.feature_channels(layers)
    raise ValueError(
        f"needs a generator whose layers can be looked at, not {type(generator).__name__}: set "
        'generator.type = "cut_resnet"'
    )
