"""FID of two folders of photos, as a user computes it, against torch-fidelity and pytorch-fid.

Each tool runs in its own process with its own defaults, on the same files and weights. Its time
includes start-up, reading and the distance; its memory is the peak of the process. The distance
alone is also measured, against `scipy.linalg.sqrtm`.
"""

import importlib.util
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.facades import write_halves
from benchmarks.options import Options
from benchmarks.process import timed
from benchmarks.summary import comparison, ratios, spread, summary
from i2i.metrics.frechet import Moments, frechet_distance
from i2i.metrics.inception import DIMENSIONS
from i2i.weights import load

PEERS = {"torch-fidelity": "torch_fidelity", "pytorch-fid": "pytorch_fid"}
OUTPUTS, TARGETS = "test", "train"
ROUNDS = 5


@dataclass(frozen=True)
class Tool:
    """A program that prints a FID.

    Args:
        command: The command line.
        number: A regular expression that finds the FID in its output.
        environment: Additional environment variables.
        prepare: Called before each start.
    """

    command: list[str]
    number: str
    environment: Mapping[str, str]
    prepare: Callable[[], None] = lambda: None


def measure(options: Options) -> dict[str, Any]:
    """Run the tools in turn; measure seconds, images/s, peak MiB, and read the FID of each."""
    rounds = options.rounds or ROUNDS
    missing = [name for name, module in PEERS.items() if not importlib.util.find_spec(module)]
    if missing:
        raise SystemExit(f"needs {' and '.join(missing)}: pip install -e '.[dev]'")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        n = {
            split: len(write_halves(options.data / split, work / split, left=True))
            for split in (OUTPUTS, TARGETS)
        }
        tools = _tools(work)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in tools}
        for turn in range(rounds):
            # "i2i again" must follow "i2i", whose cached features it uses. Others change places.
            for name in list(tools) if turn % 2 == 0 else ["pytorch-fid", "torch-fidelity", *OURS]:
                runs[name].append(_timed(tools[name]))
    images = sum(n.values())
    seconds = {name: [run["seconds"] for run in of_tool] for name, of_tool in runs.items()}
    return {
        "what": f"fid of {n[OUTPUTS]} against {n[TARGETS]} photos of 256 x 256, whole program, "
        f"{torch.get_num_threads()} threads",
        "tools": {
            name: {
                "fid": of_tool[0]["fid"],
                "images_per_second": summary([images / run["seconds"] for run in of_tool]),
                "peak_mib": summary([run["peak_mib"] for run in of_tool]),
            }
            for name, of_tool in runs.items()
        },
        "results": [
            {"against": peer}
            | comparison(f"seconds, against {peer}", seconds["i2i"], seconds[peer])
            for peer in PEERS
        ],
        "again": ratios(seconds["i2i again"], seconds["i2i"]),
        "distance": _distance(rounds, n[OUTPUTS], n[TARGETS]),
    }


OURS = ("i2i", "i2i again")


def _tools(work: Path) -> dict[str, Tool]:
    """The tools with the same weights; i2i twice, without and with cached target features."""
    weights = work / "hub" / "checkpoints" / "pt_inception-2015-12-05-6726825d.pth"
    weights.parent.mkdir(parents=True)
    inception = load("inception")
    classifier = {"fc.weight": torch.zeros(1008, DIMENSIONS), "fc.bias": torch.zeros(1008)}
    torch.save(inception.tensors | classifier, weights)
    shutil.copy(inception.path, work)
    folders = [str(work / OUTPUTS), str(work / TARGETS)]
    cache = work / "cache"
    ours = [sys.executable, "-m", "i2i", "eval", folders[0], "--against", folders[1], "--json"]
    ours += ["--metric", "fid:preset=tf1", "--out", str(work / "metrics.json")]
    environment = {"I2I_CACHE_DIR": str(cache), "I2I_WEIGHTS_DIR": str(work)}
    fidelity = [sys.executable, "-m", "torch_fidelity.fidelity", "--fid", "--no-cache", "--json"]
    fidelity += ["--feature-extractor-weights-path", str(weights)]
    return {
        "i2i": Tool(
            ours,
            r'"fid:preset=tf1": ([\d.]+)',
            environment,
            lambda: shutil.rmtree(cache, ignore_errors=True),
        ),
        "i2i again": Tool(ours, r'"fid:preset=tf1": ([\d.]+)', environment),
        "torch-fidelity": Tool(
            [*fidelity, "--input1", folders[0], "--input2", folders[1]],
            r'"frechet_inception_distance": ([\d.]+)',
            {},
        ),
        "pytorch-fid": Tool(
            [sys.executable, "-m", "pytorch_fid", *folders, "--device", "cpu"],
            r"FID:\s+([\d.]+)",
            {"TORCH_HOME": str(work)},
        ),
    }


def _timed(tool: Tool) -> dict[str, float]:
    """Run a tool once; return its seconds, peak memory and FID."""
    tool.prepare()
    ended = timed(tool.command, tool.environment)
    found = re.search(tool.number, ended.text)
    if found is None:
        raise SystemExit(f"{' '.join(tool.command)} printed no FID:\n{ended.text}")
    return {"seconds": ended.seconds, "peak_mib": ended.peak_mib, "fid": float(found[1])}


def _distance(rounds: int, n: int, m: int) -> dict[str, Any]:
    """Time the distance between features of `n` and `m` images, against the usual matrix root."""
    from pytorch_fid.fid_score import calculate_frechet_distance

    # Like real features, these are not negative and mostly small.
    rows = [np.random.default_rng(k).exponential(0.4, (k, DIMENSIONS)) for k in (n, m)]
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    values = {}
    for _ in range(rounds):
        began = time.perf_counter()
        moments = [Moments(), Moments()]
        for each, features in zip(moments, rows, strict=True):
            each.update(torch.from_numpy(features))
        values["ours"] = frechet_distance(*(each.gaussian() for each in moments))
        times["ours"].append(time.perf_counter() - began)
        began = time.perf_counter()
        peers = [(r.mean(axis=0), np.cov(r, rowvar=False)) for r in rows]
        distance = calculate_frechet_distance(*peers[0], *peers[1])  # type: ignore[no-untyped-call]
        values["peer"] = float(distance)
        times["peer"].append(time.perf_counter() - began)
    what = f"the distance between {n} and {m} features of {DIMENSIONS} dimensions"
    return comparison(what, times["ours"], times["peer"]) | {"values": values}


def lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text."""
    shown = [result["what"]]
    for name, tool in result["tools"].items():
        speed, peak = tool["images_per_second"], tool["peak_mib"]
        shown.append(
            f"  {name:<15} {speed['median']:6.1f} images/s   {peak['median']:6.0f} MiB   "
            f"fid {tool['fid']:.6f}"
        )
    for each in result["results"]:
        shown.append(f"  i2i is {spread(each['ratio'])} times as fast as {each['against']}")
    shown.append(
        f"  with cached target features, i2i is another {spread(result['again'])} times as fast"
    )
    distance = result["distance"]
    shown.append(distance["what"])
    shown += [f"  {who}  {distance[who]['median']:.3f} s" for who in ("ours", "peer")]
    return [*shown, f"  i2i is {spread(distance['ratio'])} times as fast"]
