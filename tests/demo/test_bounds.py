"""What visitors leave in memory and on the disk."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="needs the extra demo")

import numpy as np
from starlette.testclient import TestClient

from i2i.demo import application as module
from i2i.demo.app import build
from i2i.demo.application import application
from i2i.demo.guard import Hosts
from i2i.demo.serving import listen
from i2i.demo.surface import Surface, data_url
from i2i.demo.uploads import upload_folder
from i2i.errors import I2IError
from i2i.model.model import Model

Models = Callable[..., Model]


def visit(client: Any, number: int, drawing: str, *, reads: bool) -> None:
    """Ask for a translation in a session of one's own, and read the answer or don't."""
    body = {"data": [drawing, 1], "fn_index": 0, "session_hash": f"visitor{number}"}
    client.post("/gradio_api/queue/join", json=body).raise_for_status()
    if not reads:
        return
    answer = client.get("/gradio_api/queue/data", params={"session_hash": f"visitor{number}"})
    messages = [json.loads(line[6:]) for line in answer.text.splitlines() if line[:6] == "data: "]
    (done,) = [each for each in messages if each["msg"] == "process_completed"]
    assert done["success"], done


# Gradio uses an option that pandas is going to drop.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_memory_of_many_visitors_is_bounded(model_of: Models, tmp_path: Path) -> None:
    model = model_of()
    page = build(model)
    drawing = data_url(np.full((*Surface(model).size, 3), 255, np.uint8))
    with listen("127.0.0.1", 0) as listening:
        app = application(page, Hosts(listening), tmp_path)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for number in range(100):
            # The queue is empty again whenever a visitor has waited for an answer.
            visit(client, number, drawing, reads=number % 5 == 4)
    assert len(page.state_holder.session_data) < 10
    assert len(page._queue.pending_messages_per_session) < 100
    assert page._queue.event_ids_to_events == {}


KILLED = """
import os, signal, sys
from i2i.demo.uploads import upload_folder
with upload_folder() as folder:
    (folder / "picture.png").write_bytes(bytes(1000))
    print(folder, flush=True)
    if sys.argv[1] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def another(what: str) -> tuple["subprocess.Popen[str]", Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.parametrize("named", [True, False])
def test_uploads_of_a_killed_demo_are_removed_by_the_next_but_not_those_of_a_running_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    if named:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "mine"))
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.tex").touch()
    else:
        monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    before = os.environ.get("GRADIO_TEMP_DIR")
    killed, left = another("die")
    assert killed.wait() == -signal.SIGKILL
    running, used = another("live")
    assert not left.exists()
    with upload_folder() as folder:
        assert (used / "picture.png").exists()
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert folder.stat().st_mode & 0o077 == 0
    running.communicate()
    assert os.environ.get("GRADIO_TEMP_DIR") == before
    expected = ["thesis.tex"] if named else []
    assert [path.name for path in used.parent.iterdir()] == expected


def test_a_folder_for_uploads_that_can_t_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file"))
    with pytest.raises(I2IError, match=r"file: can't be used for uploads"), upload_folder():
        pass


def test_uploads_that_nobody_reads_can_t_fill_the_disk(
    model_of: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAITING_UPLOADS", 3)
    with upload_folder() as uploads, listen("127.0.0.1", 0) as listening:
        app = application(build(model_of(), max_upload=0.1), Hosts(listening), uploads)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            statuses = []
            for i in range(6):
                file = bytes([i]) * 90_000
                answer = client.post("/gradio_api/upload", files={"files": ("a.png", file)})
                statuses.append(answer.status_code)
        assert statuses == [200, 200, 200, 200, 503, 503]
        assert "try again" in answer.text
    assert not uploads.exists()
