"""Data sets, good ones and others that break one rule."""

import hashlib
import os
from collections.abc import Sequence
from functools import partial

import numpy as np

import i2i
from i2i.datasets.dataset import Split
from i2i.datasets.halved import Halved
from i2i.datasets.synthetic import Synthetic
from i2i.images.types import Array, Size


class Paired(i2i.Dataset):
    """Two pairs of plain images in every split."""

    stems: Sequence[str] = ("a", "b")

    def pairs(self, split: Split) -> list[i2i.Pair]:
        return [
            i2i.Pair(name, self.load, partial(self.digest, f"{split} {i}"))
            for i, name in enumerate(self.stems)
        ]

    def digest(self, image: str) -> bytes:
        return hashlib.sha256(image.encode()).digest()

    def load(self, size: Size) -> tuple[Array, Array]:
        return self.one(size, 3), self.one(size, 3)

    def one(self, size: Size, channels: int) -> Array:
        return np.zeros((*size, channels), np.uint8)


class NoDataset:
    pass


class NoChannels(Paired):
    target_channels = 0


class Floats(Paired):
    dtype = np.float32


class NoTraining(Paired):
    def pairs(self, split: Split) -> list[i2i.Pair]:
        return [] if split == "train" else super().pairs(split)


class OtherNames(Paired):
    def __init__(self) -> None:
        self.stems = [os.urandom(4).hex()]


class OtherDigests(Paired):
    def digest(self, image: str) -> bytes:
        return os.urandom(32)


class Twice(Paired):
    stems = ("a", "A")


class Upwards(Paired):
    stems = ("../a",)


class Absolute(Paired):
    stems = ("/a",)


class Backslash(Paired):
    stems = ("a\\b",)


class Device(Paired):
    stems = ("a:b",)


class Nameless(Paired):
    stems = ("",)


class Overlapping(Paired):
    def pairs(self, split: Split) -> list[i2i.Pair]:
        return super().pairs("train")


class TextDigest(Paired):
    def digest(self, image: str) -> str:
        return hashlib.sha256(image.encode()).hexdigest()


class WrongDepth(Paired):
    dtype = np.uint16


class WrongChannels(Paired):
    def load(self, size: Size) -> tuple[Array, Array]:
        return self.one(size, 3), self.one(size, 1)


class OwnSize(Paired):
    def load(self, size: Size) -> tuple[Array, Array]:
        return super().load((32, 32))


class Random(Paired):
    def one(self, size: Size, channels: int) -> Array:
        return np.random.default_rng().integers(0, 256, (*size, channels), np.uint8)


class Unreadable(Paired):
    def load(self, size: Size) -> tuple[Array, Array]:
        raise OSError("no such file")


class Unpaired(Paired):
    """Two inputs and two targets in every split."""

    paired = False

    def pairs(self, split: Split) -> list[i2i.Pair]:
        return []

    def singles(self, split: Split) -> tuple[list[i2i.Single], list[i2i.Single]]:
        return self.side(f"{split} input"), self.side(f"{split} target")

    def side(self, place: str) -> list[i2i.Single]:
        return [
            i2i.Single(name, partial(self.one, channels=3), partial(self.digest, f"{place} {i}"))
            for i, name in enumerate(self.stems)
        ]


class Halves(Halved):
    """Paired data whose training images are unpaired."""

    def __init__(self) -> None:
        super().__init__(Synthetic(train=6, val=2, test=2))


class NoTargets(Unpaired):
    def singles(self, split: Split) -> tuple[list[i2i.Single], list[i2i.Single]]:
        return super().singles(split)[0], []


class OnlyPairs(Paired):
    paired = False


class OtherInputs(Unpaired, OtherNames):
    pass


class UnpairedTwice(Unpaired, Twice):
    pass


class UnpairedUpwards(Unpaired, Upwards):
    pass


class UnpairedOverlapping(Unpaired):
    def singles(self, split: Split) -> tuple[list[i2i.Single], list[i2i.Single]]:
        return super().singles(split)[0], super().singles("train")[1]


class GrayTargets(Unpaired):
    target_channels = 1


DATASETS = (
    ("promises", NoDataset, "is no data set: derive from i2i.Dataset"),
    ("promises", NoChannels, "has target_channels 0: use a number from 1"),
    ("promises", Floats, "use numpy.uint8 or numpy.uint16"),
    ("promises", NoTraining, "has no pairs for training, but paired is True"),
    ("promises", NoTargets, "has no targets for training, but paired is False"),
    ("promises", OnlyPairs, "has no inputs for training, but paired is False"),
    ("stability", OtherNames, "gives the pairs of 'train' other names"),
    ("stability", OtherInputs, "gives the inputs of 'train' other names"),
    ("stability", OtherDigests, "gives the pairs of 'train' other digests"),
    ("names", Twice, "has the name 'A' twice among the pairs of 'train'"),
    ("names", UnpairedTwice, "has the name 'A' twice among the inputs of 'train'"),
    ("names", Upwards, "has the name '../a' in 'train', which is unsafe as a file name"),
    ("names", UnpairedUpwards, "has the name '../a' in 'train', which is unsafe as a file name"),
    ("names", Absolute, "has the name '/a' in 'train', which is unsafe"),
    ("names", Backslash, "in 'train', which is unsafe"),
    ("names", Device, "has the name 'a:b' in 'train', which is unsafe"),
    ("names", Nameless, "has the name '' in 'train', which is unsafe"),
    ("disjoint splits", Overlapping, "has 'a' of 'train' in 'val' too"),
    ("disjoint splits", UnpairedOverlapping, "has 'a' of 'train' in 'val' too"),
    ("disjoint splits", TextDigest, "return the 32 bytes of a SHA-256"),
    ("images", WrongDepth, "decodes 'a' of 'train' to uint8 (32, 32, 3) instead of uint16"),
    ("images", WrongChannels, "decodes 'a' of 'train' to uint8 (32, 32, 1) instead of uint8 (32"),
    ("images", GrayTargets, "decodes 'a' of 'train' to uint8 (32, 32, 3) instead of uint8 (32"),
    ("images", OwnSize, "to uint8 (32, 32, 3) instead of uint8 (24, 40, 3)"),
    ("images", Random, "decodes 'a' of 'train' to other values the second time"),
    ("images", Unreadable, "can't decode 'a' of 'train' at (32, 32): OSError: no such file"),
)
