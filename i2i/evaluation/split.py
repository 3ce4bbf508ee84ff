"""Evaluates a trained generator on a split."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from stat import S_ISREG
from typing import Any

import torch
from torch import Tensor, nn

from i2i.datasets.decoded import Decoded
from i2i.errors import I2IError
from i2i.evaluation.collection import MetricCollection, Result
from i2i.evaluation.document import read_run_document
from i2i.evaluation.results import described, digits, write_document
from i2i.evaluation.samples import INPUT, TARGET, SampleFolder
from i2i.evaluation.translations import translate_pairs
from i2i.images import save_image
from i2i.images.sheets import spread
from i2i.metrics.bootstrap import bootstrap_indices
from i2i.recipe import Recipe
from i2i.system.console import track
from i2i.system.files import safe_join
from i2i.system.hashing import json_sha256

SAMPLES = 24
"""Number of pairs of the split that are written as samples."""

OUTPUT = "output"


def measure(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    metrics: Sequence[str],
) -> dict[str, Result]:
    """Translate a split and return the results of metrics by their texts; writes no files."""
    collection = MetricCollection(metrics, _content(decoded), device)
    for translated in translate_pairs(generator, decoded, recipe, device):
        collection.update(translated.on(device))
    return collection.results()


def refusals(metrics: Sequence[str], decoded: Decoded, device: torch.device) -> dict[str, I2IError]:
    """Find metrics that can't be measured on a split, before there are translations.

    Args:
        metrics: Metrics as recipes name them.
        decoded: The split; not empty.
        device: Where to compute.

    Returns:
        As `refusals_of`.
    """
    pair = torch.from_numpy(decoded.array[[0]])
    inputs, targets = pair[:, : decoded.input_channels], pair[:, decoded.input_channels :]
    return refusals_of(metrics, inputs, targets, len(decoded.names), device)


def refusals_of(
    metrics: Sequence[str], inputs: Tensor, targets: Tensor, pairs: int, device: torch.device
) -> dict[str, I2IError]:
    """Find metrics that can't be measured on images such as one pair.

    Each metric gets the pair, with the target in place of the output.

    Args:
        metrics: Metrics as recipes name them.
        inputs: The input, uint8 or uint16 `(1, C, H, W)`.
        targets: The target, likewise.
        pairs: Number of pairs that will be measured.
        device: Where to compute.

    Returns:
        The reason for each metric that can't be measured: a WeightsError if its weights are
        unavailable, a DataError if it refuses such images or needs more of them.
    """
    collection = MetricCollection(metrics, device=device)
    target = targets.to(device)
    collection.update({"input": inputs.to(device), "output": target, "target": target})
    collection.require(pairs)
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
    """Translate a split, measure the translations, and write images, samples and `metrics.json`.

    If inputs and targets have the same number of channels, the metrics that compare pairs are also
    measured with each input as the output: the identity baseline, `input_as_output`. If the recipe
    asks for bootstrap samples, metrics that support them add their values on these samples and the
    interval to their details. Earlier results in the folder stay if they are for the same weights
    and the same pairs; images of pairs that the split no longer has are removed.

    Args:
        generator: The generator, on the device.
        decoded: The split.
        recipe: The recipe of the run.
        device: Where to compute.
        folder: The `evaluation` folder of a run.
        metrics: Metrics as recipes name them.
        split: The name of the split, written to `metrics.json`.
        step: The step of the checkpoint that the generator is from, written to `metrics.json`.

    Returns:
        The document that is written to `metrics.json`. Values that are not finite, such as the
        psnr of equal images, are null in the file. If the value of a metric is None, `unavailable`
        in its details is the reason.
    """
    outputs = MetricCollection(metrics, _content(decoded), device)
    baseline = MetricCollection([m for m in metrics if m in outputs.paired], device=device)
    sample_names = [decoded.names[i] for i in spread(len(decoded.names), SAMPLES)]
    samples = SampleFolder(folder / "samples")
    written = []
    with track("translating and measuring", len(decoded.names)) as advance:
        for translated in translate_pairs(generator, decoded, recipe, device):
            images = translated.on(device)
            outputs.update(images)
            comparable = translated.input.shape == translated.target.shape
            if comparable:
                baseline.update_pairs({**images, "output": images["input"]})
            for name, (_, output, _) in zip(translated.names, translated.images(), strict=True):
                written.append(save_image(output, safe_join(folder / "images", name)))
            samples.write(translated, OUTPUT, sample_names)
            advance(len(translated.names))
    _remove_others(folder / "images", written)
    columns = (INPUT, OUTPUT, TARGET)
    _remove_others(samples.path, [samples.file(c, name) for c in columns for name in sample_names])
    identity = {
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
    indices = bootstrap_indices(len(decoded.names), count) if count else None
    result: dict[str, Any] = identity | described(outputs.results(bootstrap=indices), compared)
    values = {text: copied.value for text, copied in baseline.results().items()}
    result["input_as_output"] = values if comparable else None
    for text, value in values.items():
        if comparable and value is not None and not isfinite(value):
            result["details"][text]["input_as_output_not_finite"] = digits(value)
    result = _with_earlier(result, identity, folder / "metrics.json")
    write_document(result, folder / "metrics.json")
    return result


def _content(decoded: Decoded) -> str:
    """Hash what identifies the targets: the pairs, and the size they were resized to."""
    return json_sha256(
        [decoded.fingerprint, decoded.array.shape, decoded.input_channels, "targets"]
    )


def _remove_others(folder: Path, written: Sequence[Path]) -> None:
    """Remove all images in a folder except those that were written; links are not followed."""
    kept = {(found.st_dev, found.st_ino) for found in map(Path.stat, written)}
    for file in folder.rglob("*"):
        found = file.lstat()
        image = S_ISREG(found.st_mode) and file.suffix in (".png", ".npy")
        if image and (found.st_dev, found.st_ino) not in kept:
            file.unlink()


def _with_earlier(
    result: dict[str, Any], identity: Mapping[str, Any], path: Path
) -> dict[str, Any]:
    """Add the results of an earlier evaluation in `path`, if it was of the same outputs."""
    try:
        earlier = read_run_document(path)
    except (FileNotFoundError, I2IError):
        return result
    if {key: earlier.get(key) for key in identity} != json.loads(json.dumps(identity)):
        return result
    for part in ("metrics", "details", "input_as_output"):
        if isinstance(earlier.get(part), dict) and isinstance(result[part], dict):
            result[part] = earlier[part] | result[part]
    return result
