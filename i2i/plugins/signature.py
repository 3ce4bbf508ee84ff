"""Reading of a constructor's signature: the options that a component's recipe section may have."""

from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, get_type_hints

from i2i.errors import PluginError

INJECTED: dict[str, frozenset[str]] = {
    "dataset": frozenset({"paired"}),
    "generator": frozenset({"in_channels", "out_channels", "image_size"}),
    "discriminator": frozenset({"in_channels", "image_size"}),
    "method": frozenset({"networks", "losses", "seed"}),
}
"""Constructor parameters that the run provides, by kind; they are not keys of a recipe."""


@dataclass(frozen=True)
class Option:
    """One parameter of a constructor.

    Args:
        name: Its name, and its key in the recipe.
        annotation: Its type.
        default: Its default; `Parameter.empty` if it has none.
    """

    name: str
    annotation: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is Parameter.empty


def parameters(component: type) -> list[Option]:
    """All parameters of a component's constructor.

    Raises:
        PluginError: If it isn't a class, or if a parameter has no valid annotation, or is `*args`
            or `**kwargs`, which would accept a mistyped key without an error.
    """
    if not isinstance(component, type):
        raise PluginError(f"{component!r} is no class: register a class")
    constructor = _own_constructor(component)
    if constructor is None:
        return []
    found = list(signature(constructor).parameters.values())[1:]
    try:
        hints = get_type_hints(constructor, include_extras=True)
    except (NameError, TypeError) as error:
        raise PluginError(
            f"the annotations of {component.__qualname__} are wrong: {error}"
        ) from error
    for parameter in found:
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            raise PluginError(
                f"{component.__qualname__} takes '{parameter}', in which a mistyped key would "
                "vanish: list every option as a parameter"
            )
        if parameter.name not in hints:
            raise PluginError(
                f"{component.__qualname__} gives its option '{parameter.name}' no type: annotate it"
            )
    return [Option(p.name, hints[p.name], p.default) for p in found]


def options(component: type, kind: str) -> list[Option]:
    """The parameters of a component's constructor that are keys of its recipe section."""
    injected = INJECTED.get(kind, frozenset())
    return [option for option in parameters(component) if option.name not in injected]


def _own_constructor(component: type) -> Any:
    """The constructor of the component or of an ancestor, without those of torch and builtins."""
    for ancestor in component.__mro__:
        if ancestor.__module__.partition(".")[0] in ("torch", "builtins", "abc"):
            return None
        if "__init__" in vars(ancestor):
            return vars(ancestor)["__init__"]
    return None
