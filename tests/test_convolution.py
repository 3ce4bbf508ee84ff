"""The faster convolutions against torch's own layers."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight

from i2i.convolution import Conv2d, ConvTranspose2d, layers, products, winograd
from i2i.discriminators.patch import Patch
from i2i.generators.unet import EncoderDecoder, UNet
from i2i.training.engine import Engine

PLAIN: dict[type[nn.Module], type[nn.Module]] = {
    Conv2d: nn.Conv2d,
    ConvTranspose2d: nn.ConvTranspose2d,
}


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers of any size take the faster way."""
    monkeypatch.setattr(layers, "MANY_WEIGHTS", 0)


def plain(network: nn.Module) -> nn.Module:
    """Turn the layers of a network into torch's own, laid out as torch lays them out."""
    for layer in network.modules():
        layer.__class__ = PLAIN.get(type(layer), type(layer))
    return network.to(memory_format=torch.contiguous_format)


def computed(network: nn.Module, images: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """The output, and all gradients of a weighted sum of it."""
    images = images.clone().requires_grad_()
    torch.manual_seed(seed)
    output = network(images)
    weights = torch.rand(output.shape, generator=torch.Generator().manual_seed(1))
    (output * weights).sum().backward()
    found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert images.grad is not None
    return {"output": output.detach(), "input": images.grad, **found}


def assert_alike(ours: dict[str, Tensor], theirs: dict[str, Tensor], tolerance: float) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        scale = theirs[name].abs().max().item() or 1.0
        torch.testing.assert_close(
            values, theirs[name], rtol=0, atol=tolerance * scale, msg=lambda m, n=name: f"{n}: {m}"
        )


def prefer_winograd(patch: pytest.MonkeyPatch) -> None:
    """Every layer that can be computed in Winograd's way is."""
    patch.setattr(products, "FOR_MAPS", (1, 1))
    patch.setattr(products, "FOR_WEIGHTS", (1, 1))


@settings(max_examples=200, deadline=None)
@given(
    transposed=st.booleans(),
    by_winograd=st.booleans(),
    channels=st.tuples(st.sampled_from([1, 3, 8, 17, 40]), st.sampled_from([1, 3, 8, 24])),
    geometry=st.sampled_from(
        [
            (4, 2, 1),
            (4, 1, 1),
            (4, 1, 3),
            (3, 1, 1),
            (3, 1, 0),
            (1, 1, 0),
            (4, 4, 0),
            (2, 1, 0),
            (6, 2, 2),
            (2, 2, 1),
        ]
    ),
    size=st.tuples(st.integers(1, 4), st.integers(1, 17), st.integers(1, 17)),
    bias=st.booleans(),
)
def test_layers_of_any_shape_compute_what_torch_s_compute(
    transposed: bool,
    by_winograd: bool,
    channels: tuple[int, int],
    geometry: tuple[int, int, int],
    size: tuple[int, int, int],
    bias: bool,
) -> None:
    kernel, _, padding = geometry
    n, height, width = size
    assume(transposed or min(height, width) + 2 * padding >= kernel)
    assume(not transposed or (min(height, width) - 1) * geometry[1] + kernel > 2 * padding)
    layer = (ConvTranspose2d if transposed else Conv2d)(*channels, *geometry, bias=bias)
    images = torch.rand(n, channels[0], height, width) - 0.5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "MANY_WEIGHTS", 0)
        patch.setattr(products, "PATCH_VALUES", 500)
        patch.setattr(winograd, "TILE_VALUES", 2000)
        if by_winograd:
            prefer_winograd(patch)
        ours = computed(layer.to(memory_format=torch.channels_last), images)
    assert_alike(ours, computed(plain(layer_copy(layer)), images), 1e-5)


@pytest.mark.parametrize("kernel", [3, 4])
def test_winograd_s_way_rounds_little_more_than_torch_s(kernel: int) -> None:
    draw = torch.Generator().manual_seed(0)
    images, weight = (
        torch.randn(shape, generator=draw).to(memory_format=torch.channels_last)
        for shape in ((1, 96, 30, 30), (64, 96, kernel, kernel))
    )
    side = 33 - kernel
    gradient = torch.randn((1, 64, side, side), generator=draw)
    exact = [each.double() for each in (images, weight, gradient)]
    found = {
        "output": winograd.convolve(images, weight, padding=1),
        "input": winograd.convolve_transposed(gradient, weight, padding=1),
        "weight": winograd.weight_gradient(images, gradient, kernel, padding=1),
    }
    expected = {
        "output": nn.functional.conv2d(exact[0], exact[1], padding=1),
        "input": nn.functional.conv_transpose2d(exact[2], exact[1], padding=1),
        "weight": conv2d_weight(exact[0], weight.shape, exact[2], padding=1),
    }
    for name, values in expected.items():
        assert (found[name] - values).norm() < 1.5e-6 * values.norm(), name


def layer_copy(layer: nn.Module) -> nn.Module:
    twin = copy.deepcopy(layer)
    twin.zero_grad()
    return twin


@pytest.mark.parametrize(
    ("build", "channels", "by_winograd"),
    [
        (lambda: UNet(3, 3, (64, 64), depth=6, base_channels=32), 3, False),
        (lambda: EncoderDecoder(3, 3, (64, 64), depth=6, base_channels=32), 3, False),
        (lambda: Patch(6, (64, 64), base_channels=32), 6, False),
        (lambda: Patch(6, (64, 64), base_channels=32), 6, True),
        (lambda: UNet(3, 3, (64, 64), depth=6, base_channels=32, upsampling="resize"), 3, True),
    ],
    ids=["unet", "encoder_decoder", "patch", "patch by winograd", "resize by winograd"],
)
@pytest.mark.parametrize("n", [1, 3])
def test_whole_networks_compute_what_plain_ones_compute(
    build: Callable[[], nn.Module],
    channels: int,
    n: int,
    by_winograd: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if by_winograd:
        prefer_winograd(monkeypatch)
    torch.manual_seed(0)  # now and then a rounding moves a value across a kink
    network = build()
    images = torch.rand(n, channels, 64, 64, generator=torch.Generator().manual_seed(n)) * 2 - 1
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0  # masks are drawn in the order of memory
    theirs = [  # torch's batch norm sums less exactly where maps are channels-last
        computed(plain(layer_copy(network)).to(memory_format=layout), images)
        for layout in (torch.contiguous_format, torch.channels_last)
    ]
    exact = computed(plain(layer_copy(network)).double(), images.double())
    ours = computed(network.to(memory_format=torch.channels_last), images)
    # Rounding grows on the way through norms and kinks: no more in ours than in theirs.
    for name, values in exact.items():
        size = values.norm() + 1e-12
        error, *usual = ((found[name] - values).norm() / size for found in (ours, *theirs))
        assert error <= 3 * max(usual) + 1e-5, name


WAYS = ("convolve", "convolve_transposed", "weight_gradient")


@pytest.mark.parametrize(
    ("channels", "geometry", "side", "expected"),
    [
        ((256, 512), (4, 1, 1), 32, set(WAYS)),
        ((256, 512), (4, 2, 1), 32, set()),
        ((256, 512), (4, 1, 1), 8, set()),
        ((96, 96), (4, 1, 1), 32, {"weight_gradient"}),
        ((32, 32), (3, 1, 1), 96, set()),
        ((256, 256), (5, 1, 2), 32, set()),
    ],
    ids=["discriminator", "stride", "few tiles", "some channels", "few channels", "kernel"],
)
def test_winograd_s_way_is_taken_where_it_saves(
    channels: tuple[int, int],
    geometry: tuple[int, int, int],
    side: int,
    expected: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: set[str] = set()
    for way in WAYS:
        original = getattr(winograd, way)
        monkeypatch.setattr(
            winograd,
            way,
            lambda *given, way=way, original=original: taken.add(way) or original(*given),
        )
    layer = Conv2d(*channels, *geometry).to(memory_format=torch.channels_last)
    images = torch.rand(1, channels[0], side, side)
    first = computed(layer, images)
    assert taken == expected
    layer.zero_grad()
    assert all(torch.equal(values, first[name]) for name, values in computed(layer, images).items())


def test_a_penalty_on_a_gradient_is_torch_s(always: None, monkeypatch: pytest.MonkeyPatch) -> None:
    prefer_winograd(monkeypatch)
    network = nn.Sequential(
        Conv2d(6, 16, 4, 2, 1), nn.Tanh(), Conv2d(16, 16, 4, 1, 1), ConvTranspose2d(16, 1, 4, 2, 1)
    ).to(memory_format=torch.channels_last)

    def penalised(network: nn.Module) -> dict[str, Tensor]:
        images = torch.rand(2, 6, 16, 16, generator=torch.Generator().manual_seed(0))
        images.requires_grad_()
        output = network(images)
        (gradient,) = torch.autograd.grad(output.square().sum(), images, create_graph=True)
        gradient.square().sum().backward()
        found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
        assert images.grad is not None
        return {"input": images.grad, **found}

    assert_alike(penalised(network), penalised(plain(layer_copy(network))), 1e-5)


def test_matrices_are_the_cpu_s_whatever_device_is_the_default(
    always: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefer_winograd(monkeypatch)
    winograd._transforms.cache_clear()
    layer = Conv2d(8, 8, 3, 1, 1).to(memory_format=torch.channels_last)
    images = torch.rand(1, 8, 9, 9)
    with torch.device("meta"):
        found = layer(images)
    assert_alike({"": found.detach()}, {"": plain(layer_copy(layer))(images).detach()}, 1e-5)


def test_maps_that_are_too_small_or_empty_are_torch_s(always: None) -> None:
    layer = Conv2d(8, 8, 4, 2, 0).to(memory_format=torch.channels_last)
    assert layer(torch.rand(0, 8, 8, 8)).shape == (0, 8, 3, 3)
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        layer(torch.rand(1, 8, 3, 3))


def test_weights_get_no_gradient_where_only_the_input_s_is_asked_for(
    always: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = Conv2d(8, 8, 4, 2, 1).to(memory_format=torch.channels_last)
    images = torch.rand(1, 8, 8, 8, requires_grad=True)
    asked: list[Any] = []
    original = layers.weight_gradient
    monkeypatch.setattr(
        layers, "weight_gradient", lambda *given: asked.append(given) or original(*given)
    )
    torch.autograd.backward(layer(images).sum(), inputs=[images])
    assert not asked
    assert layer.weight.grad is None
    torch.autograd.backward(layer(images).sum(), inputs=[layer.weight])
    assert len(asked) == 1


def test_gradients_lie_in_memory_as_the_weights_do(always: None) -> None:
    layer = Conv2d(16, 16, 4, 2, 1).to(memory_format=torch.channels_last)
    layer(torch.rand(2, 16, 8, 8)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.stride() == layer.weight.stride()


@pytest.mark.parametrize("by_winograd", [False, True])
@pytest.mark.parametrize("side", [2, 8])
def test_an_output_may_be_changed_in_place(
    always: None, side: int, by_winograd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_winograd:
        prefer_winograd(monkeypatch)
    network = nn.Sequential(
        Conv2d(8, 8, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        ConvTranspose2d(8, 8, 4, 2, 1),
        nn.ReLU(inplace=True),
        Conv2d(8, 8, 3, 1, 1),
        nn.ReLU(inplace=True),
    ).to(memory_format=torch.channels_last)
    images = torch.rand(1, 8, side, side) - 0.5
    assert_alike(computed(network, images), computed(plain(layer_copy(network)), images), 1e-5)


def taken(layer: nn.Module, images: Tensor) -> bool:
    output = layer(images)
    return type(output.grad_fn).__name__ in {"_ConvolutionBackward", "AddBackward0"}


def test_the_faster_way_is_taken_only_where_it_is_one(always: None) -> None:
    images = torch.rand(1, 8, 8, 8)
    layer = Conv2d(8, 8, 4, 2, 1)
    assert not taken(layer, images)
    layer = layer.to(memory_format=torch.channels_last)
    assert taken(layer, images)
    with Engine("cpu", "bf16-mixed").autocast():
        assert not taken(layer, images)
    assert not taken(layer.double(), images.double())
    for odd in (
        Conv2d(8, 8, 3, 2, 1),
        Conv2d(8, 8, 4, 2, 1, groups=2),
        Conv2d(8, 8, 4, 2, 1, padding_mode="reflect"),
        Conv2d(8, 8, (4, 2), 2, 1),
        Conv2d(8, 8, 3, padding="same"),
        Conv2d(8, 8, 3, 1, 1, dilation=2),
        ConvTranspose2d(8, 8, 4, 4, 1, output_padding=1),
    ):
        odd.to(memory_format=torch.channels_last)
        assert not taken(odd, images)
        assert_alike(computed(odd, images), computed(plain(layer_copy(odd)), images), 1e-5)


def test_small_layers_are_torch_s() -> None:
    layer = Conv2d(8, 8, 4, 2, 1).to(memory_format=torch.channels_last)
    assert not taken(layer, torch.rand(1, 8, 8, 8))


def test_an_exported_graph_holds_a_convolution(always: None) -> None:
    layer = Conv2d(8, 8, 4, 2, 1).to(memory_format=torch.channels_last).eval()
    with torch.no_grad():
        program = torch.export.export(layer, (torch.rand(1, 8, 8, 8),))
    called = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert called == ["aten.conv2d.default"]
