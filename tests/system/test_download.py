"""Fetching a file: whole, or an error that says why not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from i2i.system.download import download


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path not in {"/file", "/cut"}:
            self.send_error(404)
            return
        self.send_response(200)
        if self.path == "/cut":
            self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_is_fetched_even_if_its_size_is_unknown(site: str, tmp_path: Path) -> None:
    assert download(f"{site}/file", tmp_path / "file") == tmp_path / "file"
    assert (tmp_path / "file").read_bytes() == b"x" * 1000


def test_what_stands_in_the_way_is_told(site: str, tmp_path: Path) -> None:
    reasons = {
        f"{site}/cut": "the connection ended after 1000 of 5000 bytes",
        f"{site}/none": "HTTP Error 404: Not Found",
        "http://127.0.0.1:1/file": "Connection refused",
        "file": "unknown url type: 'file'",
    }
    for url, reason in reasons.items():
        with pytest.raises(OSError, match=reason):
            download(url, tmp_path / "file")
