"""The `i2i` program: one module for each command, imported only when the command is used."""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from i2i.cli.say import say
from i2i.errors import I2IError, ManyProblems
from i2i.hookspecs import Register, hookimpl
from i2i.system.failures import in_words
from i2i.system.files import with_home
from i2i.system.text import printable, show_anything, shown

_OURS = Path(__file__).parent.parent
_python_format = warnings.formatwarning


@hookimpl
def register_commands(register: Register) -> None:
    """Register the built-in commands."""
    register("run", "i2i.cli.run:run", summary="Train a recipe, evaluate it, write a report.")
    register(
        "translate", "i2i.cli.translate:translate", summary="Translate images with a trained model."
    )
    register(
        "export", "i2i.cli.export:export", summary="Export a model to ONNX or torch.export format."
    )
    register("demo", "i2i.cli.demo:demo", summary="Draw on a web page and see it translated.")
    register("eval", "i2i.cli.eval:eval_", summary="Measure a run, or a folder of images.")
    register("study", "i2i.cli.study:study", summary="Train variants of a recipe and compare them.")
    register("compare", "i2i.cli.compare:compare", summary="Compare the results of several runs.")
    register("check", "i2i.cli.check:check", summary="Check a recipe without training it.")
    register("list", "i2i.cli.list:list_", summary="List the components that recipes can use.")
    register("show", "i2i.cli.show:show", summary="Show a component's options and defaults.")
    register("report", "i2i.cli.report:report", summary="Write the report.html of a run again.")
    register(
        "segmenter",
        "i2i.cli.segmenter:segmenter",
        summary="Train the segmentation network that seg_score needs.",
    )
    register(
        "weights", "i2i.cli.weights:weights", summary="Fetch, verify and locate pretrained weights."
    )
    register("plugin", "i2i.cli.plugin:plugin", summary="Write a plugin of your own.")
    register("doctor", "i2i.cli.doctor:doctor", summary="Show versions, devices and plugins.")


class Commands(click.Group):
    """The registered commands; listing them imports none of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Replace `~` by the user's home folder, also in `--out=~/x`, where no shell does."""
        return super().parse_args(ctx, [_with_home(arg) for arg in args])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        from i2i.plugins.manager import registry

        return registry().names("command")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if the name is unknown."""
        from i2i.plugins.manager import registry

        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = registry().get("command", cmd_name).load()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a reader of its output that is gone ends it as the signal would."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(128 + signal.SIGPIPE)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments start with, or suggest the nearest name."""
        from i2i.plugins.manager import registry

        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise click.UsageError(registry().unknown("command", args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries; the registry has them without importing the commands."""
        from i2i.plugins.manager import registry

        rows = [
            (
                shown(name, sys.stdout.encoding),
                shown(registry().get("command", name).summary, sys.stdout.encoding),
            )
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="i2i", message="i2i %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def program(ctx: click.Context, debug: bool) -> None:
    """Train, evaluate and apply image-to-image translation models (Pix2Pix).

    A recipe is a TOML file that names the data set, generator, discriminator, losses and metrics. A
    run is the folder with everything that training a recipe writes.

    \b
    i2i run recipes/quickstart.toml              train, evaluate, write a report
    i2i run RECIPE --set train.max_steps=20      change a key without editing the file
    i2i translate runs/NAME images/ --out out    translate your own images
    i2i eval --metric fid                        measure the newest run
    i2i list                                     components that recipes can use
    i2i show generator unet                      options of one component
    i2i COMMAND --help                           a command's options and examples
    """
    ctx.obj = debug


def _with_home(argument: str) -> str:
    option, equals, value = argument.partition("=")
    if option.startswith("--") and value.startswith("~"):
        return f"{option}{equals}{with_home(value)}"
    return str(with_home(argument)) if argument.startswith("~") else argument


def _format_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Format i2i's own warnings as one line, and all others as Python does."""
    if Path(filename).is_relative_to(_OURS):
        return f"Warning: {printable(str(message))}\n"
    text = _python_format(message, category, filename, lineno, line)
    return "\n".join(map(printable, text.split("\n")))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; print errors as one line for each problem, without a traceback."""
    show_anything()
    warnings.formatwarning = _format_warning
    # Pillow warns about damaged metadata, which doesn't matter, and about what i2i refuses anyway.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    try:
        status = program.main(arguments, prog_name="i2i", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        vars(error)["message"] = printable(error.message)
        error.show(file=sys.stderr)
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say(["stopped"])
        status = 130
    except Exception as error:
        lines = _lines(error)
        if lines is None:
            raise
        if debug:
            _say(traceback.format_exc().splitlines())
        _say(lines)
        status = error.exit_code if isinstance(error, I2IError) else 1
    _close_stdout()
    sys.exit(status)


def _lines(error: Exception) -> list[str] | None:
    """What to print for an error that the user can do something about; None for any other."""
    if isinstance(error, I2IError):
        return error.after("" if isinstance(error, ManyProblems) else "Error: ")
    words = in_words(error)
    return None if words is None else [f"Error: {words}"]


def _say(lines: Iterable[str]) -> None:
    with suppress(OSError):  # the terminal may be gone
        say(*lines, err=True)


def _close_stdout() -> None:
    """Give up what can't be printed, as when the reader of a pipe is gone or the disk is full.

    Otherwise Python tries again when it exits, and complains.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
