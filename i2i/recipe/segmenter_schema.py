"""What a recipe for `i2i segmenter train` may say besides: `[segmenter]`."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

from i2i.plugins.build import Strict
from i2i.recipe.schema import PositiveInt, Recipe

Level = Annotated[int, Interval(ge=0, le=255)]


class Segmenter(Strict):
    """The network that `seg_score` measures with, as `i2i segmenter train` makes it.

    Sizes and `flip` come from `[augment]`.
    """

    palette: dict[str, tuple[Level, Level, Level]] | None = None
    """Colours of the label maps by class: `sky = [70, 130, 180]`; without it, the data set's own,
    or one channel a class where images are read with mode `labels`."""

    labels: Literal["input", "target"] | None = None
    """Which image of a pair is the label map; without it, as the data set says."""

    encoder: str = "tf_efficientnet_lite0"
    """The encoder, a name from `timm.list_models()`."""

    pretrained: bool = True
    """Begin with the encoder's pretrained weights."""

    base_channels: PositiveInt = 16
    """Channels of the decoder at full size."""

    crop_fraction: Annotated[float, Interval(gt=0, le=1)] = 0.75
    """Height and width of the parts it trains on, as a share of `augment.crop_size`; rounded up to
    what the encoder takes. Smaller parts take less time and show it less of what is around."""

    epochs: PositiveInt = 24
    """Passes over the training pairs."""

    batch_size: PositiveInt = 4
    """Photos in one update."""

    lr: Annotated[float, Gt(0)] = 2e-3
    """AdamW's highest learning rate; it rises to it linearly and decays to zero along half a
    cosine."""

    weight_decay: Annotated[float, Ge(0)] = 0.05
    """How much every update shrinks the weights, times the learning rate."""


class SegmenterRecipe(Recipe):
    """A recipe with a `[segmenter]` section, which runs do not have."""

    segmenter: Segmenter = Segmenter()
