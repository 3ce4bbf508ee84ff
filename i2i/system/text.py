"""Text for consoles: no name controls the terminal, and any console can show any text."""

import codecs
import io
import logging
import sys

_PLAIN = {
    "↑": "^",
    "↓": "v",
    "→": "->",
    "←": "<-",
    "×": "x",
    "∞": "inf",
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "±": "+/-",
    "≤": "<=",
    "≥": ">=",
    "·": "-",
    "•": "-",
    "½": "1/2",
    "²": "2",
    "³": "3",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}
"""ASCII for the characters of our own texts, for consoles that don't have them."""

_REPLACED = "i2i-plain"


def printable(text: str) -> str:
    r"""Text as one line that can't control a terminal.

    Names of files, recipe keys and plugins may contain anything: line breaks, escape codes, bytes
    that are no UTF-8, marks that reverse the direction of writing. All such characters are escaped
    as Python writes them, for example as `\n`, `\x1b` or `\udce9`.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def shown(text: str, encoding: str | None) -> str:
    """Text as one line that a console with this encoding can show.

    Characters that the encoding doesn't have are replaced by ASCII (`×` by `x`) or escaped.
    """
    encoding = encoding or "utf-8"
    return printable(text).encode(encoding, _REPLACED).decode(encoding)


def document(text: str, encoding: str | None) -> str:
    """JSON or TOML as a console with this encoding can show it, with the same content.

    What isn't printable is escaped as both formats read it, and all that isn't ASCII if the
    encoding is not UTF-8, as these formats must be.
    """
    unicode = encoding is None or codecs.lookup(encoding).name == "utf-8"
    return "".join(
        each if each == "\n" or (each.isprintable() and (unicode or each.isascii())) else _u(each)
        for each in text
    )


def show_anything() -> None:
    """Let standard output, standard error and logging show any text, whatever their encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_REPLACED)
    if logging.lastResort is not None:  # prints if the user has configured no logging
        logging.lastResort.setFormatter(_Formatter())


class _Formatter(logging.Formatter):
    """Formats i2i's messages as one line; those of libraries may have several."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.name.startswith("i2i."):
            return printable(text)
        return "\n".join(map(printable, text.split("\n")))


def _u(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding doesn't have, as an error handler of codecs."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or ascii(each)[1:-1] for each in missing), error.end


codecs.register_error(_REPLACED, _replaced)
