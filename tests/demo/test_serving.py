"""Where the page is served, and what is said where it can't be."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

pytest.importorskip("gradio", reason="needs the extra demo")

from i2i.cli import main
from i2i.demo.app import build, launch
from i2i.demo.serving import listen, url_of
from i2i.errors import I2IError
from i2i.model.model import Model

Models = Callable[..., Model]


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "localhost"),
        ("localhost", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("::", "localhost"),
    ],
)
def test_a_browser_of_this_machine_can_open_what_is_shown(host: str, shown: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("needs IPv6")
    with listen(host, 0) as listening:
        address = url_of(listening)
        port = listening.getsockname()[1]
        assert address in (f"http://{shown}:{port}/", f"http://[::1]:{port}/")
        parts = httpx.URL(address)
        with socket.create_connection((parts.host, parts.port)):
            pass


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("no-such-machine.invalid", "there is no machine of this name"),
        ("http://localhost", "there is no machine of this name"),
        ("a..b", "there is no machine of this name"),
        ("x" * 300, "there is no machine of this name"),
        ("203.0.113.7", "is not an address of this machine"),
        ("2001:db8::7", "is not an address of this machine"),
    ],
)
def test_a_host_that_isn_t_this_machine_is_told_in_a_line(host: str, words: str) -> None:
    with pytest.raises(I2IError, match=words) as raised:
        listen(host, 0)
    assert f"--host {host}" in str(raised.value)
    assert len(raised.value.lines) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_told_and_passed_over_if_any_will_do(host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("needs IPv6")
    with listen(host, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(I2IError, match=rf"^port {port} can't be listened on; --port 0"):
            listen(host, port)
    with listen(host, None) as first, listen(host, None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


@pytest.mark.parametrize("port", [-1, 65536, 10**30])
def test_a_port_that_can_t_be_is_told(port: int) -> None:
    with pytest.raises(I2IError, match="is not from 0 to 65535"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("port", ["", "http", "-1", "65536", "7860.0"])
def test_the_environment_s_port_is_checked(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    with pytest.raises(I2IError, match="GRADIO_SERVER_PORT"):
        listen(None, None)


@pytest.mark.parametrize("limit", [float("inf"), float("nan"), 0.0, -1.0, 1e305])
def test_a_limit_that_is_none_is_told(model_of: Models, limit: float) -> None:
    with pytest.raises(I2IError, match="max_upload is"):
        build(model_of(), max_upload=limit)


@pytest.mark.parametrize("limit", ["inf", "nan", "0", "-2", "1e400"])
@pytest.mark.parametrize(
    "command",
    [["demo", "m", "--max-upload"], ["translate", "m", "a", "--out", "o", "--max-megapixels"]],
    ids=lambda command: command[0],
)
def test_limits_on_the_command_line_are_checked_before_anything_else(
    command: list[str], limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, limit])
    assert end.value.code == 2
    assert f"Invalid value for '{command[-1]}'" in capsys.readouterr().err


def test_the_page_needs_no_proxy_and_ends_with_a_signal(trained: Path, tmp_path: Path) -> None:
    host = "::1" if has_ipv6() else "127.0.0.1"
    proxies = dict.fromkeys(("http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    process = subprocess.Popen(
        [sys.executable, "-m", "i2i", "demo", trained, "--host", host, "--port", "0"],
        env={**os.environ, **proxies, "all_proxy": "socks5://127.0.0.1:9", "no_proxy": ""},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert ": open http" in line, process.communicate()[1]
    address = line.partition("open ")[2].split()[0]
    with httpx.Client(trust_env=False) as client:
        assert client.get(address).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 128 + signal.SIGTERM
    assert not list((Path(os.environ["I2I_CACHE_DIR"]) / "uploads").iterdir())


def test_launch_tells_a_host_before_it_builds_the_page(model_of: Models) -> None:
    with pytest.raises(I2IError, match="there is no machine"):
        launch(model_of(), host="no-such-machine.invalid")
