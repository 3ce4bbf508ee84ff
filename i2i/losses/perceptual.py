"""LPIPS as a loss: a distance of the features of a pretrained network."""

from typing import Literal

from torch import Tensor, nn

from i2i.nn import lpips


class LPIPS(nn.Module):
    """Learned perceptual image patch similarity: Zhang et al., CVPR 2018, section 3.

    Args:
        net: The network that computes the features. `vgg` is the authors' choice for training,
            `alex` is faster, and `squeeze` has the fewest weights.

    Raises:
        WeightsError: If the network's weights are unavailable.
    """

    def __init__(self, *, net: Literal["alex", "vgg", "squeeze"] = "vgg") -> None:
        super().__init__()
        self.distance = lpips.LPIPS(net)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare two batches.

        Args:
            output: `(N, 1 or 3, H, W)` in [-1, 1].
            target: The same shape and range.

        Returns:
            A scalar, the mean distance over all pairs, at least 0.

        Raises:
            ValueError: If values lie outside [-1, 1], the number of channels is not 1 or 3, or the
                images are too small for the network.
        """
        distances: Tensor = self.distance(output, target)
        return distances.mean()
