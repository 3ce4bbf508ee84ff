"""Pix2Pix as people write it in plain PyTorch."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from benchmarks.networks import plain_networks
from i2i.recipe import Recipe


def plain_loop(recipe: Recipe, adam: Mapping[str, Any] | None = None) -> Iterator[float]:
    """Training steps on one batch that lies ready; nothing is checked, logged or seeded.

    Args:
        recipe: What is trained.
        adam: More options of the optimizers.

    Yields:
        After every step, the seconds that it waited for data.
    """
    generator, discriminator = plain_networks(recipe)
    adam_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999), **(adam or {}))
    adam_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999), **(adam or {}))
    bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
    source, target = ready_batch(recipe)
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
        yield 0.0


def ready_batch(recipe: Recipe) -> torch.Tensor:
    """Inputs and targets, `(2, N, 3, H, W)` in [-1, 1]."""
    return torch.rand(2, recipe.train.batch_size, 3, *recipe.augment.crop) * 2 - 1
