"""What a plugin may register.

Each hook is handed `register(name, target, *, summary="")`: `target` is a class, or the string
`"package.module:Class"`, which is imported only when it is used.
"""

from typing import Protocol

from pluggy import HookimplMarker, HookspecMarker

hookspec = HookspecMarker("i2i")

hookimpl = HookimplMarker("i2i")
"""Marks the functions of a plugin that implement these hooks; `i2i.hookimpl` is the same."""


class Register(Protocol):
    """What a hook is handed to register a component with."""

    def __call__(self, name: str, target: str | type, *, summary: str = "") -> None:
        """Register `target`, a class or `"module:Class"`, under `name`."""
        ...


@hookspec
def register_datasets(register: Register) -> None:
    """Register data sets: pairs of images in three splits."""


@hookspec
def register_generators(register: Register) -> None:
    """Register networks that map an input image batch to an output batch."""


@hookspec
def register_discriminators(register: Register) -> None:
    """Register networks that map an image batch to a map of logits, real or fake."""


@hookspec
def register_losses(register: Register) -> None:
    """Register losses: reconstruction `(output, target)`, or adversarial on logits."""


@hookspec
def register_metrics(register: Register) -> None:
    """Register measures of outputs against targets."""


@hookspec
def register_methods(register: Register) -> None:
    """Register methods: which network sees what, and what each one's loss is."""


@hookspec
def register_commands(register: Register) -> None:
    """Register commands of the `i2i` program."""
