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
from i2i.evaluation.samples import SampleFolder
from i2i.evaluation.translations import (
    Images,
    arrays_of,
    inputs_of,
    targets_of,
    translate_images,
    translated_back,
)
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
    images: Images,
    recipe: Recipe,
    device: torch.device,
    metrics: Sequence[str],
) -> dict[str, Result]:
    """Translate a split and return the results of metrics by their texts; writes no files."""
    collection = _collection(metrics, images, device)
    for translated in translate_images(generator, images, recipe, device):
        collection.update(translated.on(device))
    _add_targets(collection, images, recipe, device)
    return collection.results()


def refusals(metrics: Sequence[str], images: Images, device: torch.device) -> dict[str, I2IError]:
    """Find metrics that can't be measured on a split, before there are translations.

    Args:
        metrics: Metrics as recipes name them.
        images: The split; not empty.
        device: Where to compute.

    Returns:
        As `refusals_of`.
    """
    if isinstance(images, Decoded):
        inputs, targets = images.sides([0])
        return refusals_of(metrics, inputs, targets, len(images), device)
    (inputs, _), (targets, _) = images.inputs.sides([0]), images.targets.sides([0])
    number = min(len(images.inputs), len(images.targets))
    return refusals_of(metrics, inputs, targets, number, device, paired=False)


def refusals_of(
    metrics: Sequence[str],
    inputs: Tensor,
    targets: Tensor,
    pairs: int,
    device: torch.device,
    *,
    paired: bool = True,
) -> dict[str, I2IError]:
    """Find metrics that can't be measured on images such as one pair.

    Each metric gets the pair, with the target in place of the output.

    Args:
        metrics: Metrics as recipes name them.
        inputs: The input, uint8 or uint16 `(1, C, H, W)`.
        targets: The target, likewise.
        pairs: Number of pairs that will be measured; of unpaired images, that of the smaller side.
        device: Where to compute.
        paired: Whether the images are pairs.

    Returns:
        The reason for each metric that can't be measured: a WeightsError if its weights are
        unavailable, a DataError if it refuses such images or needs more of them.
    """
    collection = MetricCollection(metrics, device=device, paired=paired)
    target = targets.to(device)
    collection.update({"input": inputs.to(device), "output": target, "target": target})
    collection.require(pairs)
    return collection.problems


def evaluate_split(
    generator: nn.Module,
    images: Images,
    recipe: Recipe,
    device: torch.device,
    folder: Path,
    *,
    metrics: Sequence[str],
    split: str,
    step: int,
    back: nn.Module | None = None,
) -> dict[str, Any]:
    """Translate a split, measure the translations, and write images, samples and `metrics.json`.

    If inputs and targets are pairs with the same number of channels, the metrics that compare pairs
    are also measured with each input as the output: the identity baseline, `input_as_output`. If
    the recipe asks for bootstrap samples, metrics that support them add their values on these
    samples and the interval to their details. Earlier results in the folder stay if they are for
    the same weights and the same images; translations of inputs that the split no longer has are
    removed.

    Args:
        generator: The generator, on the device.
        images: The split.
        recipe: The recipe of the run.
        device: Where to compute.
        folder: The `evaluation` folder of a run.
        metrics: Metrics as recipes name them.
        split: The name of the split, written to `metrics.json`.
        step: The step of the checkpoint that the generator is from, written to `metrics.json`.
        back: A generator of the other direction; the samples show the outputs translated back.

    Returns:
        The document that is written to `metrics.json`. Values that are not finite, such as the
        psnr of equal images, are null in the file. If the value of a metric is None, `unavailable`
        in its details is the reason.
    """
    inputs = inputs_of(images)
    outputs = _collection(metrics, images, device)
    baseline = MetricCollection([m for m in metrics if m in outputs.paired], device=device)
    sample_names = [inputs.names[i] for i in spread(len(inputs), SAMPLES)]
    samples = SampleFolder(folder / "samples")
    written, sampled, comparable = [], [], False
    with track("translating and measuring", len(inputs)) as advance:
        for translated in translate_images(generator, images, recipe, device):
            on_device = translated.on(device)
            outputs.update(on_device)
            target = translated.target
            comparable = target is not None and translated.input.shape == target.shape
            if comparable:
                baseline.update_pairs({**on_device, "output": on_device["input"]})
            for name, output in zip(translated.names, arrays_of(translated.output), strict=True):
                written.append(save_image(output, safe_join(folder / "images", name)))
            if few := translated.only(sample_names):
                sampled += samples.write(translated_back(few, back, recipe, device), OUTPUT)
            advance(len(translated.names))
    _add_targets(outputs, images, recipe, device)
    _remove_others(folder / "images", written)
    _remove_others(samples.path, sampled)
    identity = {
        "split": split,
        "images": len(inputs),
        "step": step,
        "data": images.fingerprint,
        "test": recipe.test.model_dump(mode="json"),
    }
    compared = {
        "targets": images.fingerprint,
        "size": list(inputs.array.shape[2:]),
        "images": {"outputs": len(inputs), "targets": len(targets_of(images))},
    }
    count = recipe.eval.bootstrap
    indices = bootstrap_indices(len(inputs), count) if count else None
    result: dict[str, Any] = identity | described(outputs.results(bootstrap=indices), compared)
    values = {text: copied.value for text, copied in baseline.results().items()}
    result["input_as_output"] = values if comparable else None
    for text, value in values.items():
        if comparable and value is not None and not isfinite(value):
            result["details"][text]["input_as_output_not_finite"] = digits(value)
    result = _with_earlier(result, identity, folder / "metrics.json")
    write_document(result, folder / "metrics.json")
    return result


def _collection(metrics: Sequence[str], images: Images, device: torch.device) -> MetricCollection:
    paired = isinstance(images, Decoded)
    return MetricCollection(metrics, _content(targets_of(images)), device, paired=paired)


def _add_targets(
    collection: MetricCollection, images: Images, recipe: Recipe, device: torch.device
) -> None:
    """Add the targets of an unpaired split to the metrics of sets."""
    if isinstance(images, Decoded) or not collection.targets_needed:
        return
    size = recipe.test.batch_size
    for first in range(0, len(images.targets), size):
        batch = range(first, min(first + size, len(images.targets)))
        collection.update_targets(images.targets.sides(batch)[0].to(device))


def _content(decoded: Decoded) -> str:
    """Hash what identifies the targets: the images, and the size they were resized to."""
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
