"""Pix2Pix in plain PyTorch, with the settings that make torch fast on a CPU."""

from collections.abc import Iterator

import torch
from torch import nn

from benchmarks.networks import method
from i2i.recipe import Recipe
from i2i.system.memory import keep_freed_memory


def torch_loop(recipe: Recipe, layout: torch.memory_format) -> Iterator[float]:
    """Training steps on one prepared batch, without checks, logs or seeds.

    Adam is fused, and freed memory is kept for the next step.

    Args:
        recipe: The recipe of the networks and the batch.
        layout: Memory format of feature maps and weights.

    Yields:
        After every step, the seconds that it waited for data: 0.
    """
    keep_freed_memory(torch.device("cpu"))
    networks = (n.to(memory_format=layout) for n in method(recipe).networks.values())
    generator, discriminator = networks
    adam_g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999), fused=True)
    adam_d = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999), fused=True)
    bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
    source, target = (images.contiguous(memory_format=layout) for images in ready_batch(recipe))
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
    """Random inputs and targets, `(2, N, 3, H, W)` in [-1, 1]."""
    return torch.rand(2, recipe.train.batch_size, 3, *recipe.augment.crop) * 2 - 1
