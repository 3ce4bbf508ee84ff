"""Time to translate one image, from the start of the program, against the peer's.

The overhead of i2i is the time of `i2i translate`, minus the time of `import torch` in a separate
process, minus the network's pass over the image in a warm process.
"""

import sys
import time
from typing import Any

import torch

from benchmarks.facades import write_halves
from benchmarks.model import write_untrained
from benchmarks.options import Options
from benchmarks.process import timed
from benchmarks.summary import comparison, spread, summary
from benchmarks.translate import ours_command, peers_command
from benchmarks.workplace import workplace
from i2i.runs.loading import load

ROUNDS = 7


def measure(options: Options) -> dict[str, Any]:
    """Run everything in turn; the first round doesn't count."""
    with workplace(options) as (peer, work):
        inputs = work / "inputs"
        write_halves(options.data / "test", inputs, left=False, count=1)
        model = write_untrained(work / "model.safetensors", options.data)
        peer.save_generator("untrained")
        network = load(model, device="cpu").generator
        image = torch.rand(1, 3, 256, 256) * 2 - 1
        loading = f"import i2i; i2i.load({str(model)!r}, device='cpu')"
        times: dict[str, list[float]] = {}
        for turn in range((options.rounds or ROUNDS) + 1):
            out = work / f"out{turn}"
            commands = {
                "import_torch": [sys.executable, "-c", "import torch"],
                "ours": ours_command(model, inputs, out / "ours"),
                "peer": peers_command(peer, inputs, out / "peer"),
                "help": [sys.executable, "-m", "i2i", "--help"],
                "load": [sys.executable, "-c", loading],
            }
            for name, command in commands.items():
                times.setdefault(name, []).append(timed(command).seconds)
            times.setdefault("forward", []).append(_forward(network, image))
        source = peer.source
    times = {name: values[1:] for name, values in times.items()}
    parts = zip(times["ours"], times["import_torch"], times["forward"], strict=True)
    result = comparison(
        f"translating one file of 256 x 256, whole program, {torch.get_num_threads()} threads",
        times["ours"],
        times["peer"],
    )
    return result | {
        "peer_source": source,
        "overhead": summary([whole - torchs - network for whole, torchs, network in parts]),
        **{name: summary(times[name]) for name in ("import_torch", "forward", "help", "load")},
    }


def _forward(network: torch.nn.Module, image: torch.Tensor) -> float:
    """Seconds of a pass, after a warm-up pass, because other programs ran in between."""
    with torch.inference_mode():
        network(image)
        began = time.perf_counter()
        network(image)
        return time.perf_counter() - began


def lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text."""
    return [
        result["what"],
        f"peer: {result['peer_source']}",
        f"  i2i translate          {spread(result['ours'])} s",
        f"  import torch           {spread(result['import_torch'])} s",
        f"  pass of the network    {spread(result['forward'], 3)} s",
        f"  overhead of i2i        {spread(result['overhead'])} s",
        f"  peer's test.py         {spread(result['peer'])} s: "
        f"i2i is {spread(result['ratio'])} times as fast",
        f"  i2i --help             {spread(result['help'])} s",
        f"  i2i.load               {spread(result['load'])} s",
    ]
