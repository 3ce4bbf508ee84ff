"""Programs run on a pseudo-terminal."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest


def on_a_terminal(*arguments: str, columns: int = 120, cwd: Path | None = None) -> str:
    """All that Python writes to a terminal when it is run with these arguments, without error."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns)},
        cwd=cwd,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # raised when the program closes its end
        while read := os.read(main, 65536):
            shown += read
    os.close(main)
    assert process.wait() == 0, shown.decode()
    return shown.decode()
