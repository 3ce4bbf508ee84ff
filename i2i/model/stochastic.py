"""Whether a model draws noise, so that its samples differ."""

import torch

from i2i.model.inference import draws_noise
from i2i.model.model import Model


def is_stochastic(model: Model) -> bool:
    """Run a model once, on a grey image of the training's size, to find out if it draws noise.

    Raises:
        I2IError: If the generator draws noise that can't belong to one image.
    """
    height, width = model.padded(model.recipe.augment.crop)
    image = torch.zeros(1, model.data.input.channels, height, width, device=model.device)
    return draws_noise(model.generator, image, model.settings())
