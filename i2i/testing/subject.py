"""The component that is tested, with its options."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from i2i.errors import DataError, I2IError, WeightsError
from i2i.plugins.build import build
from i2i.plugins.manager import registry
from i2i.plugins.registry import Entry
from i2i.testing.outcome import CheckSkipped, ConformanceError


@dataclass(frozen=True)
class Subject:
    """A component under test.

    Args:
        entry: Its entry in the registry, or one made for a class that isn't registered.
        options: Its options, as in a recipe.
        recipe: For methods: sections of the recipe that they are trained with.
        paired: For data sets: the recipe's `data.paired`.
    """

    entry: Entry
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    paired: bool | None = None

    @property
    def title(self) -> str:
        """What messages call it, such as "generator 'tiny' of i2i-example"."""
        return f"{self.entry.kind} '{self.entry.name}' of {self.entry.plugin}"

    def require(self, kept: bool, sentence: str) -> None:
        """Raise ConformanceError, with the title before the sentence, unless `kept`."""
        if not kept:
            raise ConformanceError(f"{self.title} {sentence}")

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """A context that turns every error into a sentence of the kit.

        Args:
            what: What the component fails to do in case of an error, such as "can't be built".

        Raises:
            CheckSkipped: If weights are missing.
            ConformanceError: For every other error.
        """
        try:
            yield
        except (ConformanceError, CheckSkipped):
            raise
        except WeightsError as error:
            raise CheckSkipped(str(error).partition("\n")[0]) from error
        except Exception as error:
            reason = str(error).partition("\n")[0]
            if not isinstance(error, I2IError):
                reason = f"{type(error).__name__}: {reason}"
            raise ConformanceError(f"{self.title} {what}: {reason}") from error

    def build(self, *, seed: int = 0, **known: Any) -> Any:
        """Build the component, with random weights of a seed.

        Args:
            seed: The seed; the random state of torch is restored afterwards.
            known: Values that a run would provide, such as `in_channels`.

        Raises:
            CheckSkipped: If weights or data are missing.
            ConformanceError: If it can't be built.
        """
        with self.doing("can't be built"), seeded(seed):
            try:
                return build(self.entry, self.options, **known)
            except DataError as error:
                raise CheckSkipped(str(error).partition("\n")[0]) from error


def subject_of(kind: str, component: str | type, options: Mapping[str, Any]) -> Subject:
    """Describe a component to test; its `example_options` count where `options` has no value.

    Args:
        kind: The kind of the component.
        component: Its class, or the name that it is registered by.
        options: Its options, as in a recipe.

    Raises:
        PluginError: If the name is unknown, or the class can't be loaded.
    """
    if isinstance(component, str):
        entry = registry().get(kind, component)
    else:
        entry = Entry(kind, component.__name__, component, "", component.__module__)
    loaded = entry.load()
    example = getattr(loaded, "example_options", {})
    return Subject(entry, {**example, **options}, getattr(loaded, "example_recipe", {}))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A context in which torch draws the random numbers of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def known(entry: Entry) -> Iterator[None]:
    """A context in which recipes can name a component, whether it is registered or not."""
    names = registry().entries[entry.kind]
    before = names.get(entry.name)
    names[entry.name] = entry
    try:
        yield
    finally:
        del names[entry.name]
        if before is not None:
            names[entry.name] = before
