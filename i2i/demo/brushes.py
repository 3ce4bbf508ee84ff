"""The colours to draw a model's inputs with: ink, or the classes of label maps."""

from dataclasses import dataclass

from i2i.datasets.info import DatasetInfo
from i2i.errors import I2IError

Colour = tuple[int, int, int]

INK: Colour = (0, 0, 0)
PAPER: Colour = (255, 255, 255)

INK_WIDTH = 0.028
"""Share of the canvas's side: lines of OpenMoji are 2 of 72 units wide."""

CLASS_WIDTH = 0.05


@dataclass(frozen=True)
class Brushes:
    """The colours of a canvas and how they are applied.

    Args:
        colours: Colours by name, in the order of their buttons; for label maps, in class order.
        background: Colour of the empty canvas and of the eraser.
        labels: Whether the colours are classes, so that no shades between them are allowed.
        width: Initial width of strokes, as a share of the canvas's side.
    """

    colours: dict[str, Colour]
    background: Colour
    labels: bool
    width: float


def brushes(data: DatasetInfo) -> Brushes:
    """Choose the brushes for the inputs of a data set.

    Label maps get one brush for each class, and the first class is the background. All other inputs
    are drawn in black ink on white.

    Raises:
        I2IError: If the inputs are neither grey nor colour images nor label maps.
    """
    side = data.input
    palette = data.palette or {}
    if side.mode == "labels":
        palette = data.class_colours
    elif side.channels not in (1, 3):
        raise I2IError(
            f"images of {side.channels} channels can't be drawn: the demo needs a model with grey, "
            "colour or label map inputs"
        )
    elif data.labels_side == "target" or side.channels == 1:
        palette = {}
    if not palette:
        return Brushes({"ink": INK}, PAPER, labels=False, width=INK_WIDTH)
    return Brushes(dict(palette), next(iter(palette.values())), labels=True, width=CLASS_WIDTH)
