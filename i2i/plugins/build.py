"""From a component's section in a recipe to the component: validated keywords, then a call."""

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
    """A model that takes nothing it does not know and guesses no types."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


@cache
def schema(entry: Entry) -> type[BaseModel]:
    """The model of a component's section, without the keys that belong to the recipe itself."""
    fields: dict[str, Any] = {
        option.name: (option.annotation, ... if option.required else option.default)
        for option in options(entry.load(), entry.kind)
    }
    return create_model(entry.name, __base__=Strict, **fields)


def validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Validate what TOML gave, strictly, but with its arrays admitted as tuples.

    Raises:
        ValidationError: pydantic's, with every error at once.
    """
    return model.model_validate_json(json.dumps(values, default=str))


def complete(entry: Entry, values: Mapping[str, Any]) -> dict[str, Any]:
    """The section with every default written out, in TOML's types.

    Raises:
        ValidationError: pydantic's, with every error at once.
    """
    return validate(schema(entry), values).model_dump(mode="json", exclude_none=True)


def build(entry: Entry, values: Mapping[str, Any], **known: Any) -> Any:
    """The component that a section describes.

    Args:
        entry: Which component.
        values: Its keywords, as the recipe gives them.
        known: What the run knows; each is passed on if the constructor asks for it.

    Raises:
        RecipeError: If a keyword is wrong or the component refuses the combination.
    """
    component = entry.load()
    asked = {option.name for option in parameters(component)} & INJECTED.get(
        entry.kind, frozenset()
    )
    where = f"{entry.kind} '{entry.name}'"
    try:
        keywords = dict(validate(schema(entry), values))
        return component(**keywords, **{name: known[name] for name in asked})
    except ValidationError as error:
        raise RecipeError([f"{where}: {item['msg']}" for item in error.errors()]) from error
    except ValueError as error:
        raise RecipeError([f"{where}: {error}"]) from error
