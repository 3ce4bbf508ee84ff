"""The hooks with which plugins register components.

The hooks of components are called with `register(name, target, *, summary="")`. The target is a
class, or a string `"package.module:Class"`; i2i imports the string's module only when the component
is used.
"""

from typing import TYPE_CHECKING, Protocol

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from i2i.weights import Pinned

hookspec = HookspecMarker("i2i")

hookimpl = HookimplMarker("i2i")
"""Decorator for the functions of a plugin that implement hooks; also `i2i.hookimpl`."""


class Register(Protocol):
    """The type of `register`, the function that a hook is called with."""

    def __call__(self, name: str, target: str | type, *, summary: str = "") -> None:
        """Register `target`, a class or `"package.module:Class"`, under `name`."""
        ...


class RegisterWeights(Protocol):
    """The type of `register`, the function that `register_weights` is called with."""

    def __call__(self, weights: "Pinned") -> None:
        """Add weights to the catalogue."""
        ...


@hookspec
def register_datasets(register: Register) -> None:
    """Register data sets: pairs of images in three splits."""


@hookspec
def register_generators(register: Register) -> None:
    """Register networks that map an input image batch to an output batch."""


@hookspec
def register_discriminators(register: Register) -> None:
    """Register networks that map an image batch to a map of real/fake logits."""


@hookspec
def register_losses(register: Register) -> None:
    """Register losses: reconstruction `(output, target)`, or adversarial on logits."""


@hookspec
def register_metrics(register: Register) -> None:
    """Register metrics: measures that compare outputs with targets."""


@hookspec
def register_methods(register: Register) -> None:
    """Register training methods: the networks, their inputs and their losses."""


@hookspec
def register_commands(register: Register) -> None:
    """Register commands of the `i2i` program."""


@hookspec
def register_weights(register: RegisterWeights) -> None:
    """Register pretrained weights, which components then get from `i2i.weights.load(name)`."""
