"""What a model's inputs are drawn with: ink, or the classes of its label maps."""

from dataclasses import dataclass

from i2i.datasets.info import DatasetInfo
from i2i.errors import I2IError

Colour = tuple[int, int, int]

INK: Colour = (0, 0, 0)
PAPER: Colour = (255, 255, 255)

INK_WIDTH = 0.028
"""Of the side: OpenMoji's lines are 2 of 72 units wide."""

CLASS_WIDTH = 0.05


@dataclass(frozen=True)
class Brushes:
    """The colours of a canvas and how they are applied.

    Args:
        colours: By name, in the order of their buttons; for label maps in the order of classes.
        background: What an empty canvas, and the eraser, show.
        labels: Whether they are classes: then there are no shades between them.
        width: Of a stroke at first, as a share of the canvas's side.
    """

    colours: dict[str, Colour]
    background: Colour
    labels: bool
    width: float


def brushes(data: DatasetInfo) -> Brushes:
    """What inputs like those of some data are drawn with.

    Label maps have a brush a class, and the first class as their background. Everything else is
    drawn in black ink on white.

    Raises:
        I2IError: If inputs are neither grey, nor colour, nor label maps.
    """
    side = data.input
    palette = data.palette or {}
    if side.mode == "labels":
        palette = data.class_colours
    elif side.channels not in (1, 3):
        raise I2IError(
            f"images of {side.channels} channels can't be drawn: the demo is for models that take "
            "grey, colour or label images"
        )
    elif data.labels_side == "target" or side.channels == 1:
        palette = {}
    if not palette:
        return Brushes({"ink": INK}, PAPER, labels=False, width=INK_WIDTH)
    return Brushes(dict(palette), next(iter(palette.values())), labels=True, width=CLASS_WIDTH)
