"""The section `[segmenter]` of recipes for `i2i segmenter train`."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

from i2i.plugins.build import Strict
from i2i.recipe.schema import PositiveInt, Recipe

Level = Annotated[int, Interval(ge=0, le=255)]


class Segmenter(Strict):
    """The segmentation network of the metric `seg_score`, trained by `i2i segmenter train`.

    Image sizes and `flip` are those of `[augment]`.
    """

    palette: dict[str, tuple[Level, Level, Level]] | None = None
    """RGB colour of each class in the label maps, such as `sky = [70, 130, 180]`. Without it, the
    palette of the data set, or one channel per class if the images are read in mode `labels`."""

    labels: Literal["input", "target"] | None = None
    """Which image of a pair is the label map; required if the data set does not define it."""

    encoder: str = "tf_efficientnet_lite0"
    """The encoder, a name from `timm.list_models()`."""

    pretrained: bool = True
    """Start from the encoder's pretrained weights."""

    base_channels: PositiveInt = 16
    """Channels of the decoder at full resolution."""

    crop_fraction: Annotated[float, Interval(gt=0, le=1)] = 0.75
    """Size of the random training crops as a fraction of `augment.crop_size`, rounded up to a size
    that the encoder accepts. Smaller crops are faster, but show less context."""

    epochs: PositiveInt = 24
    """Number of passes over the training pairs."""

    batch_size: PositiveInt = 4
    """Photos per step."""

    lr: Annotated[float, Gt(0)] = 2e-3
    """AdamW's highest learning rate. The rate rises to it linearly, then decays to zero along half
    a cosine."""

    weight_decay: Annotated[float, Ge(0)] = 0.05
    """AdamW's weight decay: every step shrinks the weights by this factor times the learning
    rate."""


class SegmenterRecipe(Recipe):
    """A recipe with a `[segmenter]` section, which recipes of runs do not have."""

    segmenter: Segmenter = Segmenter()
