"""Losses that compare output and target, value by value."""

from torch import Tensor, nn
from torch.nn import functional as F


class L1(nn.Module):
    """Mean absolute difference of output and target: Isola et al. 2017, equation 3."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare two batches.

        Args:
            output: `(N, C, H, W)` in [-1, 1].
            target: The same shape and range.

        Returns:
            A scalar in [0, 2], the mean over all values.
        """
        return F.l1_loss(output, target)


class L2(nn.Module):
    """Mean squared difference of output and target; its outputs are blurrier than those of `L1`.

    Pathak et al. 2016 (context encoders), equation 1; compared with L1 in Isola et al. 2017,
    section 3.1.
    """

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare two batches.

        Args:
            output: `(N, C, H, W)` in [-1, 1].
            target: The same shape and range.

        Returns:
            A scalar in [0, 4], the mean over all values.
        """
        return F.mse_loss(output, target)
