"""`i2i demo` where it can't begin."""

import subprocess
import sys

import pytest


def test_without_gradio_one_line_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['gradio'] = None\n"
        "from i2i.cli import main; main(['demo', 'runs/any'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'i2i[demo]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_page_of_a_unet_needs_none_of_the_heavy_libraries() -> None:
    pytest.importorskip("gradio", reason="needs the extra demo")
    code = (
        "import sys, i2i.demo.app, i2i.generators.unet\n"
        "heavy = {'timm', 'torchmetrics', 'lpips', 'torchvision'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
