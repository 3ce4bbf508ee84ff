"""A trained generator on a split: its translations, and what metrics say of them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from i2i.datasets.base import Array
from i2i.datasets.decoded import Decoded
from i2i.datasets.images import save_image
from i2i.evaluation.measuring import Measuring
from i2i.evaluation.results import described, write_document
from i2i.evaluation.translations import Translated, translate_pairs
from i2i.files import safe_join
from i2i.metrics.resampling import resamples
from i2i.progress import track
from i2i.recipe import Recipe
from i2i.sheets import gallery, spread

ON_SHEET = 24
"""Pairs of the split on the sheet that is kept of it."""


def measure(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    metrics: Sequence[str],
) -> dict[str, float]:
    """The metrics of a split's translations, by name.

    Raises:
        I2IError: If one of them is unavailable.
    """
    measuring = Measuring(metrics, _content(decoded), device)
    for translated in translate_pairs(generator, decoded, recipe, device):
        _show(measuring, translated, device)
    for problem in measuring.problems.values():
        raise problem
    results = measuring.results()
    return {text: _value(result.value, result.problem) for text, result in results.items()}


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
    """Translate a split, keep the images and a sheet of them, and measure them.

    Beside each metric that compares pairs stands its value for the input taken as the output, where
    channels allow: what a generator gets that does nothing. Where the recipe asks for resamples,
    the details of each metric that can have its values on these and their interval. Results that
    are in the folder already, of the same weights on the same pairs, stay.

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
    outputs = Measuring(metrics, _content(decoded), device)
    copies = Measuring([m for m in metrics if m in outputs.paired])
    on_sheet = {decoded.names[i] for i in spread(len(decoded.names), ON_SHEET)}
    triples: list[list[Array]] = []
    with track("translating and measuring", len(decoded.names)) as advance:
        for translated in translate_pairs(generator, decoded, recipe, device):
            _show(outputs, translated, device)
            comparable = translated.input.shape == translated.target.shape
            if comparable:
                unchanged = replace(translated, output=translated.input)
                copies.update_pairs(unchanged.by_role())
            for name, images in zip(translated.names, translated.images(), strict=True):
                save_image(images[1], safe_join(folder / "images", name))
                if name in on_sheet:
                    triples.append(images)
            advance(len(translated.names))
    save_image(gallery(triples), folder / "sheet")
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
    count = recipe.eval.resamples
    drawn = resamples(len(decoded.names), count) if count else None
    result: dict[str, Any] = what | described(outputs.results(resamples=drawn), compared)
    values = {text: copy.value for text, copy in copies.results().items()}
    result["input_as_output"] = values if comparable else None
    result = _with_earlier(result, what, folder / "metrics.json")
    write_document(result, folder / "metrics.json")
    return result


def _show(measuring: Measuring, translated: Translated, device: torch.device) -> None:
    images = {role: batch.to(device) for role, batch in translated.by_role().items()}
    measuring.update_pairs(images)
    measuring.update_outputs(images["output"])
    measuring.update_targets(images["target"])


def _content(decoded: Decoded) -> str:
    """What tells these targets from others: the pairs, and the size they were brought to."""
    about = [decoded.fingerprint, decoded.array.shape, decoded.input_channels, "targets"]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _value(value: float | None, problem: Exception | None) -> float:
    if problem is not None:
        raise problem
    assert value is not None
    return value


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
