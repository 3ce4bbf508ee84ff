"""Images of a split that are no pairs: decoded inputs and decoded targets, drawn independently."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from i2i.datasets.dataset import Dataset, Direction, Split
from i2i.datasets.decoded import Decoded, Range, decode_items
from i2i.errors import DataError
from i2i.images.types import Size
from i2i.randomness import Stream, rng
from i2i.system.hashing import text_sha256


@dataclass(frozen=True)
class Unpaired:
    """The inputs and the targets of an unpaired split, decoded.

    Args:
        inputs: The inputs.
        targets: The targets.
    """

    inputs: Decoded
    targets: Decoded

    def __len__(self) -> int:
        """The number of images of the longer side: those of an epoch."""
        return max(len(self.inputs), len(self.targets))

    noun: ClassVar[str] = "inputs + targets"
    """What `counts` counts, for people."""

    @property
    def counts(self) -> str:
        """The numbers of inputs and of targets, for people."""
        return f"{len(self.inputs):,} + {len(self.targets):,}"

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """The names of skipped images, with the reasons."""
        return self.inputs.skipped + self.targets.skipped

    @property
    def fingerprint(self) -> str:
        """SHA-256 over both sides."""
        return text_sha256(f"{self.inputs.fingerprint} {self.targets.fingerprint}")

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The smallest and the largest value of each side."""
        return self.inputs.ranges + self.targets.ranges

    def towards(self, direction: Direction) -> Self:
        """The same images as a model of this direction sees them."""
        return self if direction == "forward" else type(self)(self.targets, self.inputs)

    def drawn(self, seed: int, epoch: int, index: int) -> tuple[int, int]:
        """The input and the target that meet in an epoch.

        Args:
            seed: The seed of the run.
            epoch: The epoch.
            index: The index of an image of the longer side; the other one is drawn at random (Zhu
                et al. 2017, the authors' code).

        Returns:
            The indices of the input and of the target.
        """
        inputs, targets = len(self.inputs), len(self.targets)
        partner = int(rng(Stream.PARTNER, seed, epoch, index).integers(min(inputs, targets)))
        return (index, partner) if inputs >= targets else (partner, index)


def decode_unpaired(
    dataset: Dataset, split: Split, size: Size, *, on_bad: Literal["error", "skip"] = "error"
) -> Unpaired:
    """Decode the inputs and the targets of a split, each by themselves; see `decode`.

    Raises:
        DataError: As for `decode`, for both sides together; or if one side has no images.
    """
    sides = dataset.singles(split)
    channels = dataset.input_channels, dataset.target_channels
    decoded, problems = [], []
    for side, items, number in zip(("inputs", "targets"), sides, channels, strict=True):
        if not items:
            problems.append(f"the {split} split has no {side}: add images, or remove the others")
            continue
        try:
            what = f"{side} of {split}"
            decoded.append(decode_items(items, (number,), dataset.dtype, size, what, on_bad=on_bad))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    return Unpaired(*decoded)
