"""The sections of a recipe that choose a component: data set, networks, losses and method."""

from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Gt
from pydantic import BaseModel, ConfigDict


class Component(BaseModel):
    """A section that chooses a component: `type`, and the component's options."""

    kind: ClassVar[str]
    """The kind of component, one of `i2i.plugins.registry.KINDS`."""

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    type: str
    """Name of the component; `i2i list` prints all names. The other keys of the section are the
    component's options, which `i2i show` prints."""

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments for the component's constructor."""
        return dict(self.model_extra or {})


class Data(Component):
    """The data set: pairs of an input and a target image, in the splits train, val and test."""

    kind = "dataset"

    paired: bool | None = None
    """Whether the training images are pairs; without it, the data decide. `false` makes unpaired
    data of pairs: inputs from one half of them, targets from the other."""

    on_bad: Literal["error", "skip"] = "error"
    """What to do if images can't be read: `error` stops and lists all of them, `skip` leaves their
    pairs out and records them in the run's `environment.json`."""


class Generator(Component):
    """The network that translates inputs to outputs."""

    kind = "generator"


class Discriminator(Component):
    """The network that learns to tell outputs from targets.

    Each adversarial loss gets its own, with these settings. Without adversarial losses, none is
    built.
    """

    kind = "discriminator"


class Method(Component):
    """The training method: what each network sees, and which loss each minimises."""

    kind = "method"


class Loss(Component):
    """One loss of the generator, which minimises the weighted sum of all losses."""

    kind = "loss"

    weight: Annotated[float, Gt(0)] = 1.0
    """Factor of this loss in the sum. It does not change the discriminator of an adversarial loss,
    see `discriminator_weight` of the method."""

    discriminator: Discriminator | None = None
    """For adversarial losses only: settings for this loss's discriminator. Without them,
    `[discriminator]` applies."""


def component_sections(model: type[BaseModel]) -> dict[str, type[Component]]:
    """The fields of a model that have one component or several, with the component's model."""
    found = {name: model_in(field.annotation) for name, field in model.model_fields.items()}
    return {
        name: inner
        for name, inner in found.items()
        if inner is not None and issubclass(inner, Component)
    }


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model in an annotation, also in a union or a tuple; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (model_in(argument) for argument in get_args(annotation))
    return next((model for model in inner if model), None)
