"""Where and how networks compute: devices, number formats, and the processes of one training."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from i2i.batch import Batch
from i2i.recipe.schema import Precision
from i2i.system.devices import choose_device, choose_precision

PATIENCE = timedelta(days=7)
"""How long ranks wait for one that is decoding, validating or saving. Torch's own half an hour (ten
minutes on CUDA) would end a run whose data takes longer; where a process dies, torchrun ends the
others at once."""

_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Engine:
    """One process of a training, alone or one of several that torchrun started.

    Attributes:
        device: Where this process computes.
        precision: 32, or the half format that autocast uses.
        rank: Its number; 0 writes files and talks to the user.
        ranks: How many there are.

    Args:
        device: `auto`, `cpu`, `mps`, `cuda` or `cuda:N`.
        precision: 32, the half format that autocast uses, or `auto`, see `choose_precision`.
        deterministic: Whether to use only algorithms that give the same bits every time.
        channels_last: Whether maps are laid out channels-last; by default in half formats, where
            that is faster (see docs/performance.md).
        compile: Whether networks are compiled for training.
    """

    def __init__(
        self,
        device: str = "auto",
        precision: Precision = 32,
        *,
        deterministic: bool = False,
        channels_last: bool | None = None,
        compile: bool = False,
    ) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.ranks = int(os.environ.get("WORLD_SIZE", "1"))
        self.device = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")))
        self.precision = choose_precision(self.device) if precision == "auto" else precision
        self.half = _HALF.get(str(self.precision))
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.half is torch.float16)
        if channels_last is None:
            channels_last = self.half is not None
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.compile = compile
        torch.use_deterministic_algorithms(deterministic)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        if self.ranks > 1:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.ranks > 1:
            dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network on the device, compiled if asked for, its gradients averaged over the ranks.

        Compiled networks replay CUDA graphs ("reduce-overhead"), where the device is CUDA.
        """
        network = network.to(self.device)
        if self.device.type != "cpu":  # where Adam would copy each gradient of such a weight
            network = network.to(memory_format=self.layout)
        if self.compile:
            mode = "reduce-overhead" if self.device.type == "cuda" else None
            network = torch.compile(network, mode=mode)  # type: ignore[assignment]
        trained = any(parameter.requires_grad for parameter in network.parameters())
        if self.ranks == 1 or not trained:
            return network
        return DistributedDataParallel(network, broadcast_buffers=False)

    def place(self, batch: Batch) -> Batch:
        """The batch on the device, its maps laid out as networks take them."""
        return batch.to(self.device, self.layout)

    def autocast(self) -> AbstractContextManager[Any]:
        """Where networks compute in the half format, if there is one."""
        return torch.autocast(self.device.type, self.half, enabled=self.half is not None)

    @contextmanager
    def accumulating(self, networks: Iterable[nn.Module], last: bool) -> Iterator[None]:
        """Hold back what ranks tell each other of gradients until the last part of a batch."""
        with ExitStack() as stack:
            for network in networks:
                if isinstance(network, DistributedDataParallel) and not last:
                    stack.enter_context(network.no_sync())
            yield

    def seed(self, seed: int) -> None:
        """Seed what networks draw their noise from."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif self.device.type == "mps":
            torch.mps.manual_seed(seed)

    def backward(self, loss: Tensor, parameters: list[nn.Parameter], *, keep_graph: bool) -> None:
        """Add the loss's gradient to these parameters, and to no others."""
        torch.autograd.backward(self.scaler.scale(loss), inputs=parameters, retain_graph=keep_graph)

    def update(
        self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], clip: float | None
    ) -> bool:
        """Clip the gradients and take the optimizer's step.

        Returns:
            Whether all gradients were finite; if not, nothing was changed. (Under loss scaling, an
            overflow is expected now and then; the scaler skips that step and lowers its scale.)
        """
        self.scaler.unscale_(optimizer)
        norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
        if not self.scaler.is_enabled() and not norm.isfinite():
            return False
        if clip is not None:
            clip_grads_with_norm_(parameters, clip, norm)
        self.scaler.step(optimizer)
        return True

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank."""
        if self.ranks == 1:
            return flag
        flags = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(flags, dist.ReduceOp.MAX)
        return bool(flags.item())

    def barrier(self) -> None:
        """Wait until every rank is here."""
        if self.ranks > 1:
            dist.barrier()


def unwrap(network: nn.Module) -> nn.Module:
    """The network itself, without what `Engine.wrap` put around it."""
    if isinstance(network, DistributedDataParallel):
        network = network.module
    inner: nn.Module = getattr(network, "_orig_mod", network)  # a compiled network's own
    return inner
