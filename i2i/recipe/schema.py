"""The sections and keys of a recipe, one pydantic model per section."""

from typing import Annotated, Literal, Self

import tomli_w
from annotated_types import Ge, Gt, Interval, Len
from pydantic import ConfigDict, Field, model_validator

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
    """Image sizes in pixels, and random changes that are the same for both images of a pair.

    A size is [height, width], or one number for a square.
    """

    crop_size: PositiveInt | Size = 256
    """Image size of the networks. Training images are cropped to it (see `load_size`); validation
    and test images are resized to it."""

    load_size: PositiveInt | Size | None = None
    """Size that training images are resized to before the random crop; at least `crop_size`, which
    is also the default (no crop). The paper crops 256 from 286."""

    flip: bool = False
    """Mirror training pairs left to right with probability 1/2."""

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


_Decay = Annotated[float, Interval(ge=0, lt=1)]


class PlayerOptimizer(Strict):
    """The settings of one player that differ from those of `[optimizer]`."""

    lr: Annotated[float, Gt(0)] | None = None
    betas: tuple[_Decay, _Decay] | None = None
    eps: Annotated[float, Gt(0)] | None = None
    weight_decay: Annotated[float, Ge(0)] | None = None
    clip_norm: Annotated[float, Gt(0)] | None = None


class Optimizer(Strict):
    """The Adam optimizers of the generator and the discriminators; all have the same settings.

    A section named after a player of the method, such as `[optimizer.discriminator]`, has the keys
    that differ for this player.
    """

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, PlayerOptimizer] = Field(init=False)

    lr: Annotated[float, Gt(0)] = 2e-4
    """Learning rate at the start; `[schedule]` can lower it during the training."""

    betas: tuple[_Decay, _Decay] = (0.5, 0.999)
    """Adam's decay rates of the moving averages of the gradient and of its square. GANs often use
    less than the usual 0.9 for the first."""

    eps: Annotated[float, Gt(0)] = 1e-8
    """Adam's epsilon, added to the denominator to avoid division by zero."""

    weight_decay: Annotated[float, Ge(0)] = 0.0
    """Decay of the weights, apart from the gradient as in AdamW (Loshchilov and Hutter 2019)."""

    clip_norm: Annotated[float, Gt(0)] | None = None
    """Largest gradient norm: a larger gradient is scaled down to it. The norm is computed over the
    whole generator, and over all discriminators together. Without it, gradients aren't clipped."""

    @property
    def players(self) -> dict[str, PlayerOptimizer]:
        """The settings that differ, by the name of the player."""
        return dict(self.__pydantic_extra__)

    def of(self, player: str) -> Self:
        """The settings of one player."""
        own = self.players.get(player)
        return self if own is None else self.model_copy(update=own.model_dump(exclude_none=True))


class Schedule(Strict):
    """How the learning rate changes during the training."""

    type: Literal["constant", "linear", "cosine"] = "constant"
    """`constant`; `linear` decays to zero in a straight line, `cosine` along half a cosine."""

    decay_from: Annotated[float, Interval(ge=0, lt=1)] = 0.5
    """Fraction of the training after which the decay starts; 0.5 is half of the steps."""

    warmup: Annotated[int, Ge(0)] = 0
    """Steps at the start over which the learning rate rises from 0 in a straight line."""


class Train(Strict):
    """Length of the training, batch size, device and number format.

    One step updates every network once, with one batch.
    """

    epochs: PositiveInt = 200
    """Number of passes over the training pairs."""

    max_steps: PositiveInt | None = None
    """Largest number of steps; the training ends here if `epochs` would take longer."""

    batch_size: PositiveInt = 1
    """Pairs per step, in all processes together. The paper uses 1 to 10."""

    accumulate: PositiveInt = 1
    """Number of parts that each process splits its share of a batch into. The parts are computed
    one after the other and their gradients added, which saves memory. Batch norm sees one part at a
    time."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """`cpu`, `mps`, `cuda`, `cuda:1` (the second GPU), or `auto`: CUDA if there is a GPU, else MPS,
    else the CPU."""

    precision: Precision = 32
    """Number format in which the networks compute: 32 (float32), "bf16-mixed" or "16-mixed" (half
    precision, faster on recent GPUs). `auto` is "bf16-mixed" on a CPU with AVX512-BF16 or AMX, and
    32 elsewhere."""

    workers: Annotated[int, Interval(ge=0, le=64)] = 1
    """Threads that prepare batches in advance; 0 prepares each batch when it is needed."""

    ema: Annotated[float, Interval(gt=0, lt=1)] | None = None
    """Decay of an exponential moving average of the generator's weights, such as 0.999. The saved
    model then has the averaged weights. Without it, there is no average."""

    channels_last: bool | None = None
    """Store feature maps in the channels-last memory format. By default only in half precision,
    where it is faster."""

    compile: bool = False
    """Compile the networks with torch.compile: the first step is slow, later ones can be faster. On
    CUDA it uses CUDA graphs."""

    deterministic: bool = False
    """Use only algorithms that return the same bits every time, which can be slower. CPU runs are
    deterministic without it."""

    @model_validator(mode="after")
    def _parts_are_equal(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} can't be split into {self.accumulate} equal parts "
                "(accumulate); make it a multiple"
            )
        return self


class Validation(Strict):
    """Metrics on the validation split during the training."""

    every: Annotated[int, Ge(0)] = 1000
    """Steps between validations, and one after the last step; 0 turns validation off."""

    metrics: Metrics = ("l1",)
    """Metrics to compute; `i2i list metrics` prints all names."""

    best: str = "l1"
    """The metric that selects the best checkpoint; one of `metrics`."""

    @model_validator(mode="after")
    def _best_is_measured(self) -> Self:
        if self.best not in self.metrics:
            raise ValueError(f"best is '{self.best}', which isn't among metrics {self.metrics}")
        return self


class Checkpoint(Strict):
    """How often the state of the training is saved, to resume it and to use the model."""

    every: PositiveInt = 1000
    """Steps between checkpoints. One is also saved after the last step, when the run is stopped,
    and when validation improves."""

    keep_last: PositiveInt = 2
    """Number of newest checkpoints to keep. The best one in validation is kept too; all others are
    deleted."""


class Log(Strict):
    """What is logged during the training, and how often."""

    every: PositiveInt = 50
    """Steps between lines of `metrics.jsonl`, which have the mean losses since the last line."""

    samples_every: Annotated[int, Ge(0)] = 500
    """Steps between samples: translations of the same pairs, an image each; 0 writes none."""

    samples: PositiveInt = 6
    """Pairs that are translated as samples: from the validation split, or from the test split if
    that is empty; always the same ones."""

    tensorboard: bool = False
    """Also write TensorBoard event files; requires `pip install 'i2i[track]'`."""


class Test(Strict):
    """Settings of the generator outside training: in samples, validation, evaluation, translation.

    They do not change the weights.
    """

    __test__ = False

    statistics: Literal["per_image", "running"] = "per_image"
    """Statistics of batch norm. `per_image`: the mean and variance of each image, as in the paper
    with batch size 1, here for any batch size. `running`: the averages over the training."""

    dropout: bool = True
    """Keep dropout on, as the paper does. It is the only noise of the built-in generators: with it,
    one input has many possible translations, called samples. Other noise that a generator draws,
    such as `torch.randn`, stays on in any case."""

    batch_size: PositiveInt = 8
    """Images per batch. It changes speed and memory, not the results."""


class Eval(Strict):
    """Metrics on the test split after the training."""

    metrics: Metrics = ("l1", "psnr", "ssim")
    """Metrics to compute; `i2i list metrics` prints all names. If the test split has no pairs, the
    default is fid and kid."""

    weights: Literal["last", "best"] = "last"
    """Which checkpoint to evaluate and to translate with: the `last`, or the `best` in
    validation."""

    bootstrap: Annotated[int, Interval(ge=0, le=100_000)] = 0
    """Number of bootstrap samples, for confidence intervals: every metric is also computed on this
    many random draws of the test pairs. 1000 is common; 0 computes no intervals."""


class Recipe(Strict):
    """A recipe; each key that is left out has its default."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
    """Name of the run; its folder is `runs/<name>`."""

    seed: Annotated[int, Interval(ge=0, lt=2**63)] = 0
    """Seed of all randomness: initial weights, order of the pairs, crops and flips, dropout."""

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
        """A label for each loss: its type, and a number from the second of a type on (`l1_2`)."""
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
        """The recipe as TOML, with all defaults written out."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))
