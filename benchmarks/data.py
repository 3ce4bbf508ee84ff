"""Loading of training batches from the facades, against the peer's data set.

i2i decodes all pairs once, which is measured separately, and crops its batches from the decoded
images. The peer reads each file every time. Both resize to 286 x 286, crop 256 x 256, flip at
random, and return float tensors with one pair per batch. The peer runs in this process
(`--num_threads 0`); i2i runs in this process, and also with one additional thread.
"""

import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

import torch

from benchmarks.networks import paper_recipe
from benchmarks.options import Options
from benchmarks.peer import PAPER, TRAINING
from benchmarks.summary import ratios, spread, summary
from benchmarks.workplace import workplace
from i2i.datasets.decoded import Decoded, decode
from i2i.datasets.loader import Loader
from i2i.recipe.assemble import assemble_dataset

ROUNDS = 5


def measure(options: Options) -> dict[str, Any]:
    """Time passes over the training pairs, contestants in turn."""
    with workplace(options) as (peer, _):
        recipe = paper_recipe(256, 1, 64, f"data.root={options.data}")
        dataset, load = assemble_dataset(recipe), recipe.augment.load
        began = time.perf_counter()
        decoded = decode(dataset, "train", load)
        decoding = time.perf_counter() - began
        began = time.perf_counter()
        decode(dataset, "train", load)
        reading = time.perf_counter() - began
        own = ("--dataroot", options.data, "--num_threads", 0)
        peers = peer.dataset(peer.options("train", *PAPER, *TRAINING, *own))
        pairs = len(decoded.names)
        times: dict[str, list[float]] = {"0": [], "1": [], "peer": []}
        for _ in range(options.rounds or ROUNDS):
            for workers in (0, 1):
                batches = islice(_loader(decoded, workers).batches(), pairs)
                times[str(workers)].append(_seconds(batches))
            times["peer"].append(_seconds(peers))
        source = peer.source
    results = [
        {
            "what": f"i2i with {workers} additional threads, against the peer",
            "workers": workers,
            "ours": summary([pairs / t for t in times[str(workers)]]),
            "peer": summary([pairs / t for t in times["peer"]]),
            "ratio": ratios(times[str(workers)], times["peer"]),
        }
        for workers in (0, 1)
    ]
    saved = summary(times["peer"])["median"] - summary(times["0"])["median"]
    return {
        "what": f"pairs a second, {pairs} facades from 286 x 286 to 256 x 256, "
        f"{torch.get_num_threads()} threads",
        "peer_source": source,
        "decoding_seconds": decoding,
        "reading_decoded_seconds": reading,
        "break_even_epochs": decoding / saved if saved > 0 else None,
        "results": results,
    }


def _loader(decoded: Decoded, workers: int) -> Loader:
    return Loader(decoded, batch_size=1, crop=(256, 256), flip=True, seed=0, workers=workers)


def _seconds(batches: Iterable[Any]) -> float:
    began = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - began


def lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text."""
    shown = [result["what"], f"peer: {result['peer_source']}"]
    for each in result["results"]:
        shown.append(
            f"  i2i, {each['workers']} additional threads  {spread(each['ours'], 0)}, "
            f"{spread(each['ratio'], 1)} times as fast"
        )
    shown.append(f"  peer  {spread(result['results'][0]['peer'], 0)}")
    even = result["break_even_epochs"]
    after = "never pays off" if even is None else f"pays off after {even:.2f} epochs"
    return [
        *shown,
        f"  decoding all pairs once: {result['decoding_seconds']:.1f} s, {after}; "
        f"loading decoded pairs: {result['reading_decoded_seconds']:.2f} s",
    ]
