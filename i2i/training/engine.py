"""The engine: device, number format and processes of a training."""

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
"""How long the other ranks wait for one that is decoding, validating or saving. Torch's default, 30
minutes (10 on CUDA), would end a run whose data takes longer. If a process dies, torchrun ends the
others at once."""

_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


class Engine:
    """One process of a training: the only one, or one of several started by torchrun.

    Attributes:
        device: The device of this process.
        precision: 32, or the half-precision format of autocast.
        rank: Number of this process; rank 0 writes files and prints to the console.
        ranks: Number of processes.

    Args:
        device: `auto`, `cpu`, `mps`, `cuda` or `cuda:N`.
        precision: 32, a half-precision format for autocast, or `auto`, see `choose_precision`.
        deterministic: Use only algorithms that return the same bits every time.
        channels_last: Store feature maps in the channels-last memory format; by default in half
            precision only, where it is faster (see docs/performance.md).
        compile: Compile the networks for training.
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
        """Whether this is rank 0, which writes files and prints to the console."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """Move a network to the device, compile it if asked, and average gradients over the ranks.

        On CUDA, a compiled network replays CUDA graphs (torch.compile's mode "reduce-overhead").
        """
        network = network.to(self.device)
        if self.device.type != "cpu":  # on a CPU, Adam would copy every channels-last gradient
            network = network.to(memory_format=self.layout)
        if self.compile:
            mode = "reduce-overhead" if self.device.type == "cuda" else None
            network = torch.compile(network, mode=mode)  # type: ignore[assignment]
        trained = any(parameter.requires_grad for parameter in network.parameters())
        if self.ranks == 1 or not trained:
            return network
        return DistributedDataParallel(network, broadcast_buffers=False)

    def place(self, batch: Batch) -> Batch:
        """The batch on the device, in the memory format of the networks."""
        return batch.to(self.device, self.layout)

    def autocast(self) -> AbstractContextManager[Any]:
        """A context in which networks compute in half precision, if `precision` asks for it."""
        return torch.autocast(self.device.type, self.half, enabled=self.half is not None)

    @contextmanager
    def accumulating(self, networks: Iterable[nn.Module], last: bool) -> Iterator[None]:
        """Skip the averaging of gradients over the ranks until the last part of a batch."""
        with ExitStack() as stack:
            for network in networks:
                if isinstance(network, DistributedDataParallel) and not last:
                    stack.enter_context(network.no_sync())
            yield

    def seed(self, seed: int) -> None:
        """Seed the random generators that dropout draws from."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif self.device.type == "mps":
            torch.mps.manual_seed(seed)

    def backward(self, loss: Tensor, parameters: list[nn.Parameter], *, keep_graph: bool) -> None:
        """Add the gradient of the loss to the given parameters only."""
        torch.autograd.backward(self.scaler.scale(loss), inputs=parameters, retain_graph=keep_graph)

    def update(
        self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], clip: float | None
    ) -> bool:
        """Clip the gradients to norm `clip` and take the optimizer's step.

        Returns:
            False if a gradient is not finite; the parameters are then unchanged. With loss scaling
            ("16-mixed") always True: an occasional overflow is normal, and the scaler skips that
            step and lowers its scale.
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
        """Wait until every rank has called this."""
        if self.ranks > 1:
            dist.barrier()


def unwrap(network: nn.Module) -> nn.Module:
    """The network inside the wrappers that `Engine.wrap` added."""
    if isinstance(network, DistributedDataParallel):
        network = network.module
    inner: nn.Module = getattr(network, "_orig_mod", network)  # set by torch.compile
    return inner
