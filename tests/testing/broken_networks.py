"""Generators and discriminators, a good one of each and others that break one rule."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).tanh()


class Unbounded(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image)


class EvenSizes(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return F.interpolate(F.avg_pool2d(super().forward(image), 2), scale_factor=2)


class AlwaysColour(Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, 3)


class Features(Generator):
    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(image), image


class NotFinite(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).log().tanh()


class NumpyNoise(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return (self.layer(image) + np.random.default_rng().normal()).tanh()


class Counting(Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.register_buffer("images", torch.tensor(0))

    def forward(self, image: Tensor) -> Tensor:
        self.images += len(image)
        return super().forward(image)


class Frozen(Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.requires_grad_(False)


class Idle(Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.spare = nn.Parameter(torch.zeros(3))


class Double(Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.double()


class OneNumberFormat(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return torch.lerp(image, self.layer(image), 0.5).tanh()


class LargeValues(Generator):
    def forward(self, image: Tensor) -> Tensor:
        maps = 1e6 * self.layer(image)
        return maps / (1e6 + maps.abs())


class NotSaved(Generator):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.shift = torch.rand(1)

    def forward(self, image: Tensor) -> Tensor:
        return (self.layer(image) + self.shift).tanh()


class MeanOfBatch(Generator):
    def forward(self, image: Tensor) -> Tensor:
        maps = self.layer(image)
        return (maps - maps.mean(0)).tanh()


class Position(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return (self.layer(image) + torch.linspace(-1, 1, image.shape[2])[:, None]).tanh()


class Branch(Generator):
    def forward(self, image: Tensor) -> Tensor:
        return super().forward(image if image.mean() > 0 else -image)


class Discriminator(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, 1, 4, stride=2)

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image)


class NotFiniteLogits(Discriminator):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).log()


class OneForAll(Discriminator):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).mean()


class Named(Discriminator):
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"logits": self.layer(image)}


class NotFiniteFeatures(Discriminator):
    def forward(self, image: Tensor) -> list[list[Tensor]]:
        return [[image.log(), self.layer(image)]]


class Blind(Discriminator):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image.detach())


class Detached(Discriminator):
    def forward(self, image: Tensor) -> Tensor:
        return self.layer(image).detach()


class IdleJudge(Discriminator):
    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.spare = nn.Linear(1, 1)


class Constant(Discriminator):
    def forward(self, image: Tensor) -> Tensor:
        return 0 * self.layer(image)


class Normed(Discriminator):
    """Normalises all batches together, which separate calls don't."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.layer(image))

    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        return self(torch.cat(batches)).split([len(batch) for batch in batches])


class OnlyFirst(Discriminator):
    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        return (self(batches[0]),)


GENERATORS = (
    ("shape and range", Unbounded, "outputs must stay in [-1, 1], for example by a final tanh"),
    ("shape and range", EvenSizes, "returns torch.float32 of (2, 3, 64, 64) where the contract"),
    ("shape and range", AlwaysColour, "the contract asks for floats of (2, 1, 64, 64)"),
    ("shape and range", Features, "returns tuple, not a tensor"),
    ("shape and range", NotFinite, "returns values that are not finite"),
    ("same output twice", NumpyNoise, "translates the same image to two different outputs"),
    ("same output twice", Counting, "changes 'images' when it translates in eval mode"),
    ("training in 32", Frozen, "has no parameters to train"),
    ("training in 32", Idle, "gives its parameter 'spare' no gradient in a training step in 32"),
    ("training in 32", Double, "fails in the check 'training in 32': RuntimeError"),
    ("training in bf16-mixed", OneNumberFormat, "fails in the check 'training in bf16-mixed'"),
    ("training in 16-mixed", LargeValues, "returns values that are not finite in 16-mixed"),
    ("saving and loading", NotSaved, "gives other outputs after saving and loading"),
    ("alone as in a batch", MeanOfBatch, "translates an image differently alone and in a batch"),
    ("tiles", Position, "its output must not depend on a position in the tile"),
    ("export to ONNX", Branch, "can't be exported to ONNX"),
)

DISCRIMINATORS = (
    ("logits", NotFiniteLogits, "returns logits or features that are not finite"),
    ("logits", NotFiniteFeatures, "returns logits or features that are not finite"),
    ("logits", OneForAll, "returns logits or features of () for 1 images: the first dimension"),
    ("logits", Named, "returns dict: forward() must return a tensor of logits"),
    ("gradients", Blind, "so a generator can't learn from it"),
    ("gradients", Detached, "returns logits that no gradient flows through"),
    ("gradients", IdleJudge, "gives its parameter 'spare.weight' no gradient in a training step"),
    ("different images", Constant, "gives different images the same logits"),
    ("judging several batches", Normed, "returns other results from judge() than from a separate"),
    ("judging several batches", OnlyFirst, "returns 1 results from judge() for 2 batches"),
)
