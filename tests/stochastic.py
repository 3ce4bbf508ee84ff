"""Small generators that draw noise: at the input, in the middle, in a loop, and for the style."""

import torch
from torch import Tensor, nn


class AtInput(nn.Module):
    """One more channel of noise, as in conditional GANs."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect"), nn.ReLU(), nn.Conv2d(8, 3, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        noise = torch.randn(images.shape[0], 1, *images.shape[2:], device=images.device)
        return torch.tanh(self.layers(torch.cat([images, noise], 1)))


class InTheMiddle(nn.Module):
    """Noise on the feature maps of half the size, as in StyleGAN, and dropout after it."""

    size_divisor = 2

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 2, stride=2)
        self.up = nn.Sequential(nn.Dropout(0.3), nn.ConvTranspose2d(8, 3, 2, stride=2))

    def forward(self, images: Tensor) -> Tensor:
        features = self.down(images)
        features = features + 0.3 * torch.empty_like(features[:, :1]).normal_()
        return torch.tanh(self.up(features))


class Sampler(nn.Module):
    """Four steps of a diffusion sampler, which starts from noise and adds some at each step."""

    steps = 4

    def __init__(self) -> None:
        super().__init__()
        self.denoise = nn.Conv2d(6, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, images: Tensor) -> Tensor:
        state = torch.randn_like(images)
        for step in range(self.steps, 0, -1):
            clean = torch.tanh(self.denoise(torch.cat([images, state], 1)))
            level = (step - 1) / self.steps
            state = (1 - level) * clean + level * torch.randn_like(images)
        return state


class Styled(nn.Module):
    """A style of the whole image from a normal code and uniform and binary numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.style = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        code = torch.normal(0.0, 1.0, size=(images.shape[0], 8), device=images.device)
        strength = torch.rand(images.shape[0], device=images.device)
        sign = torch.bernoulli(torch.full_like(images[:, :, :1, :1], 0.5)) * 2 - 1
        style = self.style(code)[:, :, None, None] * strength[:, None, None, None] * sign
        return torch.tanh(images + style)


STOCHASTIC = [AtInput, InTheMiddle, Sampler, Styled]


def made(kind: type[nn.Module]) -> nn.Module:
    """A generator with weights that are the same each time."""
    torch.manual_seed(0)
    return kind().eval()
