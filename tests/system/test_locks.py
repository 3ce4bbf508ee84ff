"""Locks between processes."""

import errno
import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.system.locks import Taken, lock

HOLDER = """
import sys
from pathlib import Path
from i2i.system.locks import lock
with lock(Path(sys.argv[1]), waiting_for="at work") as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> "subprocess.Popen[str]":
    """A process that takes the lock, says so, and holds it until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    first = holder(path)
    assert first.stdout is not None
    assert first.stdout.readline() == "True\n"
    with pytest.raises(Taken), lock(path):
        pytest.fail("two hold it")
    first.communicate("")
    with lock(path) as held:
        assert held
    assert path.exists()


def test_a_killed_processs_lock_is_free(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    killed = holder(path)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "True\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    with lock(path) as held:
        assert held


def test_who_waits_says_so_and_gets_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with lock(path, remove=True):
        waiting = holder(path)
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
    assert said == "waiting for another process that is at work\n"
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "True\n"
    # The file that was waited for is gone; its successor is what is held now.
    with pytest.raises(Taken), lock(path):
        pytest.fail("two hold it")
    waiting.communicate("")


def test_the_file_is_removed_where_asked_also_after_an_error(tmp_path: Path) -> None:
    with lock(tmp_path / ".lock", remove=True):
        assert (tmp_path / ".lock").exists()
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="wrong"), lock(tmp_path / ".lock", remove=True):
        raise ValueError("wrong")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("answer", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_where_there_are_no_locks_everybody_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(answer, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuses)
    with lock(tmp_path / ".lock") as one, lock(tmp_path / ".lock") as other:
        assert not one
        assert not other


def test_a_place_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / ".lock", tmp_path / ("x" * 300)):
        with pytest.raises(OSError), lock(path):  # noqa: PT011
            pytest.fail("it is held")


def test_a_command_with_names_that_are_not_utf8_can_hold_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["i2i", "run", "\udce9t\udce9.toml"])
    with lock(tmp_path / "a.lock") as held:
        assert held
        assert r"\udce9t\udce9.toml" in (tmp_path / "a.lock").read_text(encoding="utf-8")
