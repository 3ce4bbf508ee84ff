"""The initial weights of all networks."""

from torch import nn

INIT_GAIN = 0.02


def init_weights(network: nn.Module) -> None:
    """Initialise weights as Glorot and Bengio 2010 (normal), times 0.02, and biases with 0.

    So does the authors' code (`init_type` xavier, `init_gain` 0.02); the paper doesn't say it.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(layer.weight, INIT_GAIN)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
