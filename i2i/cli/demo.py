"""`i2i demo`."""

from pathlib import Path

import click

from i2i.cli.options import Amount, model_option
from i2i.cli.say import say
from i2i.errors import I2IError


@click.command
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes any free port.  [default: first free port from 7860]",
)
@click.option(
    "--max-upload",
    type=Amount(),
    default=10.0,
    show_default=True,
    help="Largest file that users can open, in MB.",
)
@click.option(
    "--examples",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of inputs to start from.  [default: the folder examples beside the model file, or "
    "samples of its run]",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Also answer requests to this name, such as that of a proxy. Repeatable.",
)
@model_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, mps, cuda or cuda:1.")
@click.option(
    "--space",
    type=click.Path(path_type=Path, file_okay=False),
    help="Do not serve; write this folder, ready to push as a Hugging Face Space.",
)
def demo(
    model: Path,
    host: str,
    port: int | None,
    max_upload: float,
    examples: Path | None,
    allowed_hosts: tuple[str, ...],
    name: str,
    device: str,
    space: Path | None,
) -> None:
    """Serve a web page where you draw on the left and see MODEL's translation on the right.

    MODEL is a run, a checkpoint or a model.safetensors file. Depending on the model's inputs, you
    draw with ink or with the classes of label maps. You can also start from an example or open
    your own picture. By default only this machine can open the page; --host 0.0.0.0 serves it to
    everyone who can reach this machine.

    \b
    i2i demo runs/pix2pix_openmoji
    i2i demo runs/pix2pix_openmoji --space my-space
    """
    try:
        from i2i.demo.app import launch
    except ImportError as error:
        raise I2IError(f"i2i demo needs gradio 6 ({error}): pip install 'i2i[demo]'") from error
    from i2i.cli.loading import load_model

    loaded = load_model(model, name, device)
    if space is not None:
        from i2i.demo.space import write_space

        written = write_space(loaded, space, examples)
        say(f"{written}: run python app.py in it, or push it as a Space")
        return
    launch(
        loaded,
        host=host,
        port=port,
        max_upload=max_upload,
        examples_from=examples,
        allowed_hosts=allowed_hosts,
        started=lambda address: say(f"{loaded.path}: open {address}  (Ctrl-C stops)"),
    )
