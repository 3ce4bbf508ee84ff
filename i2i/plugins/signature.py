"""A component's constructor, read as the keys its recipe section may have."""

from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, get_type_hints

from i2i.errors import PluginError

INJECTED: dict[str, frozenset[str]] = {
    "generator": frozenset({"in_channels", "out_channels", "image_size"}),
    "discriminator": frozenset({"in_channels", "image_size"}),
    "method": frozenset({"generator", "discriminators", "losses"}),
}
"""Parameters that the run knows and fills in, by kind; they are not keys of a recipe."""


@dataclass(frozen=True)
class Option:
    """One key of a component's section: its annotation, and its default or `Parameter.empty`."""

    name: str
    annotation: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether a recipe has to give it."""
        return self.default is Parameter.empty


def parameters(component: type) -> list[Option]:
    """All parameters of a component's constructor.

    Raises:
        PluginError: If one has no annotation or is `*args` or `**kwargs`: a key that is mistyped
            would vanish in them.
    """
    constructor = _own_constructor(component)
    if constructor is None:
        return []
    found = list(signature(constructor).parameters.values())[1:]
    hints = get_type_hints(constructor, include_extras=True)
    for parameter in found:
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            raise PluginError(
                f"{component.__qualname__} takes '{parameter}', in which a mistyped key would "
                "vanish: name every option"
            )
        if parameter.name not in hints:
            raise PluginError(
                f"{component.__qualname__} gives its option '{parameter.name}' no type"
            )
    return [Option(p.name, hints[p.name], p.default) for p in found]


def options(component: type, kind: str) -> list[Option]:
    """The parameters of a component's constructor that a recipe may give."""
    injected = INJECTED.get(kind, frozenset())
    return [option for option in parameters(component) if option.name not in injected]


def _own_constructor(component: type) -> Any:
    """The first constructor written in Python below torch's and Python's own base classes."""
    for ancestor in component.__mro__:
        if ancestor.__module__.partition(".")[0] in ("torch", "builtins", "abc"):
            return None
        if "__init__" in vars(ancestor):
            return vars(ancestor)["__init__"]
    return None
