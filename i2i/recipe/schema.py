"""What a recipe may say: one model a section."""

from typing import Annotated, Literal, Self

import tomli_w
from annotated_types import Ge, Gt, Interval, Len
from pydantic import Field, model_validator

from i2i.plugins.build import Strict
from i2i.recipe.component import Data, Discriminator, Generator, Loss, Method

PositiveInt = Annotated[int, Ge(1)]
Size = tuple[PositiveInt, PositiveInt]
"""Height and width in pixels."""

Precision = Literal["auto", 32, "bf16-mixed", "16-mixed"]

Metrics = Annotated[tuple[str, ...], Len(1)]


def _square(size: int | Size) -> Size:
    return (size, size) if isinstance(size, int) else size


class Augment(Strict):
    """Sizes and random changes, the same for both images of a pair. An integer means a square."""

    crop_size: PositiveInt | Size = 256
    """Size the networks train on and test images are resized to; one number or [height, width]."""

    load_size: PositiveInt | Size | None = None
    """Size training images are resized to before a random crop; without it, `crop_size`."""

    flip: bool = False
    """Mirror half of the training pairs."""

    @property
    def crop(self) -> Size:
        """`crop_size` as (height, width)."""
        return _square(self.crop_size)

    @property
    def load(self) -> Size:
        """`load_size` as (height, width)."""
        return _square(self.crop_size if self.load_size is None else self.load_size)

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if any(crop > load for crop, load in zip(self.crop, self.load, strict=True)):
            raise ValueError(
                f"load_size {list(self.load)} is smaller than crop_size {list(self.crop)}; "
                "make it at least as large, or leave load_size out"
            )
        return self


class Optimizer(Strict):
    """Adam, for every network."""

    lr: Annotated[float, Gt(0)] = 2e-4
    """Learning rate."""

    betas: tuple[Annotated[float, Interval(ge=0, lt=1)], Annotated[float, Interval(ge=0, lt=1)]] = (
        0.5,
        0.999,
    )
    """Decay of the running averages of the gradient and of its square."""

    eps: Annotated[float, Gt(0)] = 1e-8
    """Added to the denominator."""

    clip_norm: Annotated[float, Gt(0)] | None = None
    """Largest norm of each player's whole gradient; without it, gradients aren't clipped."""


class Schedule(Strict):
    """How the learning rate changes over the training."""

    type: Literal["constant", "linear", "cosine"] = "constant"
    """`constant`, or falling to zero along a line or half a cosine."""

    decay_from: Annotated[float, Interval(ge=0, lt=1)] = 0.5
    """The fraction of the training after which it begins to fall."""


class Train(Strict):
    """How long, in what portions, on what."""

    epochs: PositiveInt = 200
    """Passes over the training pairs."""

    max_steps: PositiveInt | None = None
    """Updates after which training ends, if that is before the last epoch."""

    batch_size: PositiveInt = 1
    """Pairs in one update, over all processes and accumulated parts together."""

    accumulate: PositiveInt = 1
    """Parts in which a process computes its share of the batch, to save memory."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """`auto` (cuda, else mps, else cpu), or one of `cpu`, `mps`, `cuda`, `cuda:1`."""

    precision: Precision = 32
    """Number format of the networks' computations; `auto` is "bf16-mixed" on a CPU with AVX512-BF16
    or AMX, and 32 elsewhere."""

    workers: Annotated[int, Interval(ge=0, le=64)] = 1
    """Threads that prepare batches ahead; 0 prepares each when it is needed."""

    ema: Annotated[float, Interval(gt=0, lt=1)] | None = None
    """Decay (0.999, say) of an average of the generator's weights, which is then the model."""

    channels_last: bool | None = None
    """Lay out maps channels-last in memory; by default in half precision."""

    compile: bool = False
    """Compile the networks at the first step; on CUDA with CUDA graphs."""

    deterministic: bool = False
    """Use only algorithms that give the same bits every time (CPU runs do without it)."""


class Validation(Strict):
    """MetricCollection on the validation split while training."""

    every: Annotated[int, Ge(0)] = 1000
    """Steps between measurements; 0 for none."""

    metrics: Metrics = ("l1",)
    """What is measured."""

    best: str = "l1"
    """The metric by which the best checkpoint is kept; one of `metrics`."""

    @model_validator(mode="after")
    def _best_is_measured(self) -> Self:
        if self.best not in self.metrics:
            raise ValueError(f"best is '{self.best}', which isn't among metrics {self.metrics}")
        return self


class Checkpoint(Strict):
    """Saving."""

    every: PositiveInt = 1000
    """Steps between checkpoints; there is always one at the end."""

    keep_last: PositiveInt = 2
    """How many of the newest are kept, besides the best."""


class Log(Strict):
    """What is written while training."""

    every: PositiveInt = 50
    """Steps between lines of metrics.jsonl."""

    samples_every: Annotated[int, Ge(0)] = 500
    """Steps between sheets of input | output | target; 0 for none."""

    samples: PositiveInt = 6
    """Pairs on a sheet, always the same ones."""

    tensorboard: bool = False
    """Write TensorBoard event files too (extra `track`)."""


class Test(Strict):
    """How a trained generator is used: in samples, validation, evaluation and translation."""

    __test__ = False

    statistics: Literal["per_image", "running"] = "per_image"
    """Batch norm's statistics: each image's own (the paper's behaviour at batch size 1, here for
    any batch size), or the running averages of the training."""

    dropout: bool = True
    """Keep dropout on, as the paper does: it is the only noise."""

    batch_size: PositiveInt = 8
    """Images at a time; it doesn't change results."""


class Eval(Strict):
    """MetricCollection on the test split at the end."""

    metrics: Metrics = ("l1", "psnr", "ssim")
    """What is measured; `i2i list metrics` names them."""

    weights: Literal["last", "best"] = "last"
    """The end of the training, or the checkpoint that was best in validation."""

    bootstrap: Annotated[int, Ge(0)] = 0
    """Bootstrap samples of the test pairs that every metric is also computed on, for confidence
    intervals; 0 for none."""


class Recipe(Strict):
    """A whole recipe; every key that is left out has its default."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
    """What the run's folder is called."""

    seed: Annotated[int, Interval(ge=0, lt=2**63)] = 0
    """Where all randomness begins."""

    data: Data
    augment: Augment = Augment()
    generator: Generator = Generator(type="unet")
    discriminator: Discriminator = Discriminator(type="patch")
    losses: Annotated[tuple[Loss, ...], Len(1)]
    method: Method = Method(type="pix2pix")
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    train: Train = Train()
    validation: Validation = Validation()
    checkpoint: Checkpoint = Checkpoint()
    log: Log = Log()
    test: Test = Test()
    eval: Eval = Eval()

    @property
    def loss_labels(self) -> tuple[str, ...]:
        """A name for each loss: its type, with a number where a type comes again."""
        types = [loss.type for loss in self.losses]
        return tuple(
            kind if types[:i].count(kind) == 0 else f"{kind}_{types[:i].count(kind) + 1}"
            for i, kind in enumerate(types)
        )

    def with_precision(self, precision: Precision) -> Self:
        """The same recipe with another `train.precision`."""
        train = self.train.model_copy(update={"precision": precision})
        return self.model_copy(update={"train": train})

    def to_toml(self) -> str:
        """The recipe as TOML with every default written out."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))
