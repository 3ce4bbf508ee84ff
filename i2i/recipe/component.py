"""The sections of a recipe that name a component, and the kind of component that each may name."""

from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Gt
from pydantic import BaseModel, ConfigDict


class Component(BaseModel):
    """A section that names a component: `type`, and the keywords of its constructor."""

    kind: ClassVar[str]
    """The kind of the components that the section may name, one of `i2i.plugins.registry.KINDS`."""

    model_config = ConfigDict(
        extra="allow", strict=True, frozen=True, use_attribute_docstrings=True
    )

    type: str
    """Which component; `i2i list` names them."""

    @property
    def options(self) -> dict[str, Any]:
        """The keywords of the component's own constructor."""
        return dict(self.model_extra or {})


class Data(Component):
    """Where the pairs come from."""

    kind = "dataset"

    on_bad: Literal["error", "skip"] = "error"
    """What to do about images that can't be read: stop with a list, or leave them out, counted."""


class Generator(Component):
    """The network that maps inputs to outputs."""

    kind = "generator"


class Discriminator(Component):
    """The network that tells outputs from targets."""

    kind = "discriminator"


class Method(Component):
    """Which network sees what, and what each player minimises."""

    kind = "method"


class Loss(Component):
    """One term of the objective."""

    kind = "loss"

    weight: Annotated[float, Gt(0)] = 1.0
    """What the term is multiplied with."""

    discriminator: Discriminator | None = None
    """An adversarial loss's own discriminator; without it, `[discriminator]` is the pattern."""


def component_sections(model: type[BaseModel]) -> dict[str, type[Component]]:
    """The fields of a model that hold a component, or several: their models by name."""
    found = {name: model_in(field.annotation) for name, field in model.model_fields.items()}
    return {
        name: inner
        for name, inner in found.items()
        if inner is not None and issubclass(inner, Component)
    }


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation names, be it inside a union or a tuple; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (model_in(argument) for argument in get_args(annotation))
    return next((model for model in inner if model), None)
