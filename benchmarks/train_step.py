"""A training step on the paper's configuration against an equal plain PyTorch loop.

Plain: the same networks, fused Adam, batches that lie ready in memory; nothing is checked, logged,
seeded or measured. i2i: the step as `i2i run` takes it, its batches cut from decoded images while
the step before runs.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.summary import summary
from i2i.assemble import (
    assemble_discriminators,
    assemble_generator,
    assemble_losses,
    assemble_method,
)
from i2i.batch import Batch
from i2i.datasets.decoded import Decoded
from i2i.datasets.loader import Loader
from i2i.recipe import Recipe, load_recipe
from i2i.training.engine import Engine
from i2i.training.log import Meter
from i2i.training.trainer import Trainer

RECIPE = Path(__file__).parents[1] / "recipes" / "pix2pix_facades.toml"
PAIRS = 64


def measure(rounds: int, size: int = 256, batch: int = 1) -> dict[str, Any]:
    """Time both steps in turn; seconds a step, and the ratio round by round."""
    overrides = (
        "data.fallback=synthetic",
        f"augment.crop_size={size}",
        f"augment.load_size={size + size // 8}",
        f"generator.depth={size.bit_length() - 1}",
        f"train.batch_size={batch}",
    )
    recipe = load_recipe(RECIPE, overrides)
    meter = Meter()
    ours, plain = _ours(recipe, meter), _plain(recipe)
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    for turn in range(rounds + 2):
        order = (("ours", ours), ("peer", plain))
        for name, step in order if turn % 2 else reversed(order):
            began = time.perf_counter()
            next(step)
            times[name].append(time.perf_counter() - began)
    times = {name: values[2:] for name, values in times.items()}
    ratios = [a / b for a, b in zip(times["ours"], times["peer"], strict=True)]
    return {
        "what": f"training step, {size} x {size}, batch {batch}, {torch.get_num_threads()} threads",
        "ours": summary(times["ours"]),
        "peer": summary(times["peer"]),
        "ratio": summary(ratios),
        "waiting": meter.take()["waiting"],
    }


def _networks(recipe: Recipe) -> tuple[nn.Module, dict[str, nn.Module], dict[str, nn.Module]]:
    losses = assemble_losses(recipe)
    return assemble_generator(recipe, 3, 3), assemble_discriminators(recipe, losses, 3, 3), losses


def _ours(recipe: Recipe, meter: Meter) -> Iterator[None]:
    generator, discriminators, losses = _networks(recipe)
    method = assemble_method(recipe, generator, discriminators, losses)
    trainer = Trainer(recipe, Engine("cpu"), method, PAIRS)
    height, width = recipe.augment.load
    array = np.random.default_rng(0).integers(0, 256, (PAIRS, 6, height, width), dtype=np.uint8)
    names = tuple(map(str, range(PAIRS)))
    loader = Loader(
        Decoded(array, 3, names, ((),) * PAIRS, (), ""),
        batch_size=recipe.train.batch_size,
        crop=recipe.augment.crop,
        flip=True,
        seed=0,
    )
    batches = loader.batches()
    while True:
        meter.restart_clock()
        with meter.waiting():
            batch = next(batches)
        meter.add(trainer.update(batch, _no_files), recipe.train.batch_size)
        yield


def _no_files(_: Batch) -> str:
    return ""


def _plain(recipe: Recipe) -> Iterator[None]:
    generator, discriminators, _ = _networks(recipe)
    (discriminator,) = discriminators.values()
    adam_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999), fused=True)
    adam_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999), fused=True)
    bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
    shape = (recipe.train.batch_size, 3, *recipe.augment.crop)
    source, target = torch.rand(2, *shape) * 2 - 1
    while True:
        output = generator(source)
        discriminator.requires_grad_(True)
        adam_d.zero_grad()
        fake = discriminator(torch.cat([source, output.detach()], 1))
        real = discriminator(torch.cat([source, target], 1))
        loss_d = 0.5 * (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake)))
        loss_d.backward()
        adam_d.step()
        discriminator.requires_grad_(False)
        adam_g.zero_grad()
        fake = discriminator(torch.cat([source, output], 1))
        loss_g = bce(fake, torch.ones_like(fake)) + 100 * l1(output, target)
        loss_g.backward()
        adam_g.step()
        yield


def lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    ratio = result["ratio"]
    return [
        result["what"],
        f"  plain loop   {result['peer']['median']:.3f} s a step",
        f"  i2i          {result['ours']['median']:.3f} s a step",
        f"  i2i / plain  {ratio['median']:.3f}   (from {ratio['min']:.3f} to {ratio['max']:.3f})",
        f"  waiting for data: {100 * result['waiting']:.2f}% of i2i's time",
    ]
