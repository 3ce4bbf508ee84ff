"""A trained generator on a split: its translations, and what metrics say of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from i2i.datasets.decoded import Decoded
from i2i.errors import I2IError
from i2i.evaluation.collection import MetricCollection, Result
from i2i.evaluation.results import described, write_document
from i2i.evaluation.samples import SampleFolder
from i2i.evaluation.translations import translate_pairs
from i2i.images import save_image
from i2i.images.sheets import spread
from i2i.metrics.bootstrap import bootstrap_indices
from i2i.recipe import Recipe
from i2i.system.console import track
from i2i.system.files import safe_join
from i2i.system.hashing import json_sha256

SAMPLES = 24
"""Pairs of the split that are kept to be looked at."""

OUTPUT = "output"


def measure(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    metrics: Sequence[str],
) -> dict[str, Result]:
    """What metrics say of a split's translations, by name."""
    collection = MetricCollection(metrics, _content(decoded), device)
    for translated in translate_pairs(generator, decoded, recipe, device):
        collection.update(translated.on(device))
    return collection.results()


def refusals(metrics: Sequence[str], decoded: Decoded, device: torch.device) -> dict[str, I2IError]:
    """Why metrics can't be measured on a split's translations, told before there are any.

    The split's first pair is shown to them, its target as the output.

    Args:
        metrics: As recipes name them.
        decoded: The split; not empty.
        device: Where to compute.

    Returns:
        Reasons by metric; WeightsError where its weights are unavailable, DataError where it
        refuses such images, or so few.
    """
    collection = MetricCollection(metrics, device=device)
    pair = torch.from_numpy(decoded.array[[0]]).to(device)
    target = pair[:, decoded.input_channels :]
    collection.update(
        {"input": pair[:, : decoded.input_channels], "output": target, "target": target}
    )
    collection.require(len(decoded.names))
    return collection.problems


def evaluate_split(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    folder: Path,
    *,
    metrics: Sequence[str],
    split: str,
    step: int,
) -> dict[str, Any]:
    """Translate a split, keep the images and some pairs to be looked at, and measure them.

    Beside each metric that compares pairs stands its value for the input taken as the output, where
    channels allow: what a generator gets that does nothing. Where the recipe asks for bootstrap
    samples, the details of each metric that can have its values on these and their interval.
    Results that are in the folder already, of the same weights on the same pairs, stay.

    Args:
        generator: On the device.
        decoded: The split.
        recipe: The run's.
        device: Where to compute.
        folder: A run's `evaluation`.
        metrics: As recipes name them.
        split: The split's name, for the record.
        step: After how many updates the generator was saved, for the record.

    Returns:
        What is written to `metrics.json`, where values that are not finite, such as the psnr of
        equal images, are null. A metric whose value is None has `unavailable` in its details.
    """
    outputs = MetricCollection(metrics, _content(decoded), device)
    copies = MetricCollection([m for m in metrics if m in outputs.paired], device=device)
    kept = [decoded.names[i] for i in spread(len(decoded.names), SAMPLES)]
    samples = SampleFolder(folder / "samples")
    with track("translating and measuring", len(decoded.names)) as advance:
        for translated in translate_pairs(generator, decoded, recipe, device):
            images = translated.on(device)
            outputs.update(images)
            comparable = translated.input.shape == translated.target.shape
            if comparable:
                copies.update_pairs({**images, "output": images["input"]})
            for name, (_, output, _) in zip(translated.names, translated.images(), strict=True):
                save_image(output, safe_join(folder / "images", name))
            samples.write(translated, OUTPUT, kept)
            advance(len(translated.names))
    what = {
        "split": split,
        "images": len(decoded.names),
        "step": step,
        "data": decoded.fingerprint,
        "test": recipe.test.model_dump(mode="json"),
    }
    compared = {
        "targets": decoded.fingerprint,
        "size": list(decoded.array.shape[2:]),
        "images": {"outputs": len(decoded.names), "targets": len(decoded.names)},
    }
    count = recipe.eval.bootstrap
    drawn = bootstrap_indices(len(decoded.names), count) if count else None
    result: dict[str, Any] = what | described(outputs.results(bootstrap=drawn), compared)
    values = {text: copy.value for text, copy in copies.results().items()}
    result["input_as_output"] = values if comparable else None
    result = _with_earlier(result, what, folder / "metrics.json")
    write_document(result, folder / "metrics.json")
    return result


def _content(decoded: Decoded) -> str:
    """What tells these targets from others: the pairs, and the size they were brought to."""
    return json_sha256(
        [decoded.fingerprint, decoded.array.shape, decoded.input_channels, "targets"]
    )


def _with_earlier(result: dict[str, Any], what: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The result, with those of earlier evaluations of the same outputs."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return result
    if {key: earlier.get(key) for key in what} != json.loads(json.dumps(what)):
        return result
    for part in ("metrics", "details", "input_as_output"):
        if isinstance(earlier.get(part), dict) and isinstance(result[part], dict):
            result[part] = earlier[part] | result[part]
    return result
