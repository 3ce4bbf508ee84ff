"""Work on the images of all processes of a training together."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor


def over_all_ranks(images: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function to the images of all processes, in the order of the whole batch.

    Every process computes it. So what the function remembers, such as a pool of images, stays the
    same in all of them, and is what one process with the whole batch would remember.

    Args:
        images: This process's images `(n, ...)`; the same number in every process. They are passed
            on without an autograd graph.
        function: Maps `(N, ...)` images to as many.

    Returns:
        This process's part `(n, ...)` of the result.
    """
    images = images.detach()
    alone = not dist.is_initialized() or dist.get_world_size() == 1
    if alone or images.is_meta:
        return function(images)
    parts = [torch.empty_like(images) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, images.contiguous())
    first = dist.get_rank() * len(images)
    return function(torch.cat(parts))[first : first + len(images)]
