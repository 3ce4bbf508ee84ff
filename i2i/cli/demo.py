"""`i2i demo`."""

from pathlib import Path

import click

from i2i.errors import I2IError


@click.command
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="0 takes a free one  [the first free from 7860 on].",
)
@click.option(
    "--max-upload",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Largest file that is taken, in MB.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, mps, cuda, cuda:1.")
@click.option(
    "--space",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a folder that runs as a Space, instead of serving.",
)
def demo(
    model: Path, host: str, port: int | None, max_upload: float, device: str, space: Path | None
) -> None:
    """Serve a page to draw on, with MODEL's translation beside it.

    MODEL is a run, a checkpoint or a model.safetensors. Draw with ink, or with the classes of the
    data's label maps; begin with an example of the test split or a picture of your own. The page is
    for this machine only unless --host says otherwise (0.0.0.0: everybody who can reach it).

    \b
    i2i demo runs/pix2pix_openmoji
    i2i demo runs/pix2pix_openmoji --space my-space
    """
    try:
        from i2i.demo.app import launch
    except ImportError as error:
        raise I2IError(f"i2i demo needs gradio 6 ({error}): pip install 'i2i[demo]'") from error
    from i2i.cli.loading import load_model

    loaded = load_model(model, device)
    if space is not None:
        from i2i.demo.space import write_space

        click.echo(
            f"{write_space(loaded, space)}: run it with python app.py, or push it as a Space"
        )
        return
    launch(
        loaded,
        host=host,
        port=port,
        max_upload=max_upload,
        started=lambda address: click.echo(f"{loaded.path}: open {address}  (Ctrl-C ends it)"),
    )
