"""A trained generator on a split: its translations, and what metrics say of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from i2i.assemble import assemble_metrics
from i2i.batch import to_float, to_whole
from i2i.datasets.base import Array
from i2i.datasets.decoded import Decoded
from i2i.datasets.images import save_image
from i2i.files import safe_join, write_whole
from i2i.inference import translate
from i2i.progress import track
from i2i.recipe import Recipe
from i2i.sheets import gallery, sheet, spread

ON_SHEET = 24
"""Pairs of the split on the sheet that is kept of it."""


@dataclass(frozen=True)
class Translated:
    """Some pairs of a split and their translations, whole numbers `(N, C, H, W)`."""

    names: tuple[str, ...]
    input: Tensor
    output: Tensor
    target: Tensor


def translate_pairs(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    indices: Sequence[int] | None = None,
) -> Iterator[Translated]:
    """Translate pairs of a split batch by batch, as the recipe's `[test]` says.

    Args:
        generator: On the device.
        decoded: The split.
        recipe: The run's.
        device: Where to compute.
        indices: Which pairs; all by default.
    """
    chosen = list(range(len(decoded.names)) if indices is None else indices)
    for first in range(0, len(chosen), recipe.test.batch_size):
        batch = chosen[first : first + recipe.test.batch_size]
        pairs = torch.from_numpy(decoded.array[batch])
        inputs, targets = pairs[:, : decoded.input_channels], pairs[:, decoded.input_channels :]
        outputs = translate(
            generator,
            to_float(inputs).to(device),
            statistics=recipe.test.statistics,
            dropout=recipe.test.dropout,
            seed=recipe.seed,
        )
        names = tuple(decoded.names[i] for i in batch)
        yield Translated(names, inputs, to_whole(outputs, pairs.dtype).cpu(), targets)


def measure(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    metrics: Sequence[str],
) -> dict[str, float]:
    """The metrics of a split's translations, by name."""
    measures = assemble_metrics(metrics)
    for translated in translate_pairs(generator, decoded, recipe, device):
        for metric in measures.values():
            metric.update(translated.output, translated.target)
    return {name: metric.compute() for name, metric in measures.items()}


def evaluate(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    folder: Path,
    *,
    split: str,
    step: int,
) -> dict[str, Any]:
    """Translate a split, keep the images and a sheet of them, and measure them.

    Beside each metric stands its value for the input taken as the output, where channels allow:
    what a generator gets that does nothing.

    Args:
        generator: On the device.
        decoded: The split.
        recipe: The run's.
        device: Where to compute.
        folder: A run's `evaluation`.
        split: The split's name, for the record.
        step: After how many updates the generator was saved, for the record.

    Returns:
        What is written to `metrics.json`, where values that are not finite, such as the psnr of
        equal images, are null.
    """
    outputs = assemble_metrics(recipe.eval.metrics)
    copies = assemble_metrics(recipe.eval.metrics)
    on_sheet = {decoded.names[i] for i in spread(len(decoded.names), ON_SHEET)}
    triples: list[list[Array]] = []
    batches = translate_pairs(generator, decoded, recipe, device)
    with track("translating", len(decoded.names)) as advance:
        for translated in batches:
            comparable = translated.input.shape == translated.target.shape
            for name, metric in outputs.items():
                metric.update(translated.output, translated.target)
                if comparable:
                    copies[name].update(translated.input, translated.target)
            for name, *images in zip(
                translated.names,
                *map(_as_arrays, (translated.input, translated.output, translated.target)),
                strict=True,
            ):
                save_image(images[1], safe_join(folder / "images", name))
                if name in on_sheet:
                    triples.append(images)
            advance(len(translated.names))
    save_image(gallery(triples), folder / "sheet")
    result = {
        "split": split,
        "images": len(decoded.names),
        "step": step,
        "data": decoded.fingerprint,
        "test": recipe.test.model_dump(mode="json"),
        "metrics": {name: metric.compute() for name, metric in outputs.items()},
        "input_as_output": (
            {name: metric.compute() for name, metric in copies.items()} if comparable else None
        ),
    }
    write_whole(folder / "metrics.json", json.dumps(_without_infinities(result), indent=2) + "\n")
    return result


def sample_sheet(
    generator: nn.Module, decoded: Decoded, recipe: Recipe, device: torch.device, count: int
) -> Array:
    """A sheet of input | output | target for pairs spread over a split, always the same ones."""
    indices = spread(len(decoded.names), count)
    rows = [
        images
        for translated in translate_pairs(generator, decoded, recipe, device, indices)
        for images in zip(
            *map(_as_arrays, (translated.input, translated.output, translated.target)), strict=True
        )
    ]
    return sheet(rows)


def _as_arrays(images: Tensor) -> list[Array]:
    return list(images.numpy().transpose(0, 2, 3, 1))


def _without_infinities(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _without_infinities(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not isfinite(value) else value
