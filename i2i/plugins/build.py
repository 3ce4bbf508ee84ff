"""Building of a component from its section in a recipe: validate the keys, call the constructor."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from i2i.errors import RecipeError
from i2i.plugins.registry import Entry
from i2i.plugins.signature import INJECTED, options, parameters

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A pydantic model that rejects unknown keys and does not convert types."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


@cache
def schema(entry: Entry) -> type[BaseModel]:
    """The pydantic model of a component's options."""
    fields: dict[str, Any] = {
        option.name: (option.annotation, ... if option.required else option.default)
        for option in options(entry.load(), entry.kind)
    }
    return create_model(entry.name, __base__=Strict, **fields)


def validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Validate values from TOML strictly, but accept arrays for tuples.

    Raises:
        ValidationError: pydantic's error, with all problems.
    """
    return model.model_validate_json(json.dumps(values, default=str))


def complete(entry: Entry, values: Mapping[str, Any]) -> dict[str, Any]:
    """Validate a component's options and add all defaults, in TOML's types.

    Raises:
        ValidationError: pydantic's error, with all problems.
    """
    return validate(schema(entry), values).model_dump(mode="json", exclude_none=True)


def build(entry: Entry, values: Mapping[str, Any], **known: Any) -> Any:
    """Build a component.

    Args:
        entry: The component's entry in the registry.
        values: Its options from the recipe.
        known: Values that the run provides, such as `in_channels`; each is passed if the
            constructor has a parameter of that name (see `INJECTED`).

    Raises:
        RecipeError: If an option is invalid, or the constructor raises ValueError.
    """
    component = entry.load()
    injected = {option.name for option in parameters(component)} & INJECTED.get(
        entry.kind, frozenset()
    )
    title = f"{entry.kind} '{entry.name}'"
    try:
        keywords = dict(validate(schema(entry), values))
        return component(**keywords, **{name: known[name] for name in injected})
    except ValidationError as error:
        raise RecipeError(
            [f"{title}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        ) from error
    except ValueError as error:
        raise RecipeError([f"{title}: {error}"]) from error
