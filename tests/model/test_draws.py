"""Random functions inside a generator: answered with the noise of each image, or refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import get_overridable_functions, resolve_name

from i2i.errors import I2IError
from i2i.model.draws import answer_to
from i2i.model.dropout import DROPOUTS
from i2i.model.inference import TestSettings, TestTime, draws_noise, intercepted, translate
from i2i.model.noise import Noise
from i2i.model.tiling import Tiles, translate_tiles
from tests.stochastic import STOCHASTIC, AtInput, made

N = 3


def answered(draw: Callable[[], Any], *, dropout: bool = True) -> Any:
    """What a draw gives at test time, for a batch of three images."""
    noise = Noise(lambda: torch.arange(N), (8, 8))
    with intercepted({}, noise, dropout=dropout):
        return draw()


def images(n: int = 4, size: tuple[int, int] = (16, 24)) -> Tensor:
    return torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(1)) * 2 - 1


class Drawing(nn.Module):
    """Applies a function to the images."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Any:
        return self.function(images)


def test_all_ways_to_ask_for_normal_numbers_give_the_same() -> None:
    shape = (N, 4, 5, 6)
    expected = answered(lambda: torch.randn(shape))
    zeros, ones = torch.zeros(shape), torch.ones(shape)
    for draw in (
        lambda: torch.randn(*shape),
        lambda: torch.randn(size=shape),
        lambda: torch.randn(torch.Size(shape), generator=torch.Generator()),
        lambda: torch.randn(shape, out=torch.empty(0)),
        lambda: torch.randn_like(zeros),
        lambda: torch.randn_like(zeros.double(), dtype=torch.float32, device="cpu"),
        lambda: torch.empty(shape).normal_(),
        lambda: torch.normal(zeros, ones),
        lambda: torch.normal(zeros),
        lambda: torch.normal(0.0, torch.ones(shape)),
        lambda: torch.normal(0.0, 1.0, shape),
        lambda: torch.normal(mean=0.0, std=1.0, size=shape),
        lambda: torch.distributions.Normal(zeros, ones).sample(),
    ):
        torch.testing.assert_close(answered(draw), expected, rtol=0, atol=0)
    wide = answered(lambda: torch.normal(torch.full(shape, 2.0), torch.full((6,), 3.0)))
    torch.testing.assert_close(wide, expected * 3 + 2)
    wide = answered(lambda: torch.empty(shape).normal_(2, std=3))
    torch.testing.assert_close(wide, expected * 3 + 2)


def test_all_ways_to_ask_for_uniform_numbers_give_the_same() -> None:
    shape = (N, 4)
    expected = answered(lambda: torch.rand(shape))
    for draw in (
        lambda: torch.rand(*shape),
        lambda: torch.rand_like(torch.zeros(shape)),
        lambda: torch.empty(shape).uniform_(),
        lambda: (torch.empty(shape).uniform_(-1, to=3) + 1) / 4,
        lambda: (torch.empty(shape).uniform_(**{"from": -1, "to": 3}) + 1) / 4,
    ):
        torch.testing.assert_close(answered(draw), expected)


def test_coins_fall_on_one_with_their_probability() -> None:
    p = torch.tensor([0.0, 0.2, 0.9, 1.0])[None, :, None, None].expand(N, 4, 64, 64)
    for draw in (
        lambda: torch.bernoulli(p),
        p.bernoulli,
        lambda: torch.empty_like(p).bernoulli_(p),
    ):
        coins = answered(draw)
        assert set(coins.unique().tolist()) == {0.0, 1.0}
        shares = coins.mean((0, 2, 3)).tolist()
        assert shares == pytest.approx([0, 0.2, 0.9, 1], abs=4 * 0.5 / np.sqrt(N * 64 * 64))
        assert (shares[0], shares[3]) == (0, 1)
    booleans = answered(lambda: torch.empty(N, 999, dtype=torch.bool).bernoulli_())
    assert booleans.dtype == torch.bool
    assert booleans.float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_numbers_have_the_type_and_the_gradient_that_are_asked_for() -> None:
    drawn = answered(lambda: torch.randn(N, 2, dtype=torch.float16, requires_grad=True))
    assert drawn.dtype == torch.float16
    assert drawn.requires_grad
    assert answered(lambda: torch.rand(N, device="meta")).device.type == "meta"


def test_random_state_is_neither_used_nor_changed() -> None:
    torch.manual_seed(0)
    first, state = answered(lambda: torch.randn(N)), torch.get_rng_state()
    torch.manual_seed(1)
    assert torch.equal(first, answered(lambda: torch.randn(N)))
    torch.manual_seed(0)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("torch.randn", lambda: torch.randn(1, 3, 8, 8)),
        ("torch.rand", lambda: torch.rand(())),
        ("torch.randn_like", lambda: torch.randn_like(torch.zeros(12, 3))),
        ("torch.Tensor.normal_", lambda: torch.zeros(8, 8).normal_()),
        ("torch.nn.functional.dropout", lambda: F.dropout(torch.zeros(6, 4), 0.5)),
    ],
)
def test_a_draw_that_is_not_one_value_per_image_is_refused_in_a_line(
    name: str, draw: Callable[[], Tensor]
) -> None:
    with pytest.raises(I2IError) as raised:
        answered(draw)
    message = str(raised.value)
    assert message.startswith(f"{name} can't draw (")
    assert message.endswith("for a batch of 3 at test time: draw one value per image, (N, ...)")


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("torch.randint", lambda: torch.randint(9, (N,))),
        ("torch.randperm", lambda: torch.randperm(N)),
        ("torch.multinomial", lambda: torch.multinomial(torch.ones(N, 4), 2)),
        ("torch.Tensor.exponential_", lambda: torch.empty(N).exponential_()),
        ("torch.nn.functional.gumbel_softmax", lambda: F.gumbel_softmax(torch.ones(N, 4))),
        ("torch.nn.functional.rrelu", lambda: F.rrelu(torch.ones(N, 4), training=True)),
    ],
)
def test_a_function_that_no_noise_answers_is_refused_in_a_line(
    name: str, draw: Callable[[], Tensor]
) -> None:
    with pytest.raises(I2IError) as raised:
        answered(draw)
    assert str(raised.value).startswith(f"{name} can't be answered with the noise of each image")
    assert "\n" not in str(raised.value)


def test_what_draws_nothing_is_left_alone() -> None:
    values = torch.randn(N, 4, 8)
    assert torch.equal(answered(lambda: F.rrelu(values)), F.rrelu(values))
    layer = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True).eval()
    assert torch.equal(answered(lambda: layer(values, values, values)[0]), layer(*[values] * 3)[0])
    with pytest.raises(I2IError, match="multi_head_attention_forward can't be answered"):
        answered(lambda: layer.train()(values, values, values))


def test_no_random_function_of_torch_is_forgotten() -> None:
    """Those that torch marks as random are answered or refused.

    Recurrent layers are the exception: their dropout is off in eval mode.
    """
    random = {
        name
        for name in dir(torch.ops.aten)
        if not name.startswith("_")
        and hasattr(packet := getattr(torch.ops.aten, name), "overloads")
        and any(
            torch.Tag.nondeterministic_seeded in getattr(packet, overload).tags
            for overload in packet.overloads()
        )
    }
    functions = {f for found in get_overridable_functions().values() for f in found}
    functions |= {getattr(torch, name) for name in random if hasattr(torch, name)}
    marked = {f for f in functions if getattr(f, "__name__", "") in random}
    assert len(marked) > 20
    forgotten = {resolve_name(f) for f in marked if f not in DROPOUTS and answer_to(f) is None}
    recurrent = {"gru", "lstm", "rnn_tanh", "rnn_relu", "miopen_rnn"}
    assert forgotten <= {f"torch.{name}" for name in recurrent}


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
def test_alpha_dropout_keeps_mean_and_variance(function: Callable[..., Tensor]) -> None:
    values = torch.randn(N, 4000, 4, generator=torch.Generator().manual_seed(0))
    dropped = answered(lambda: function(values, 0.3, training=False))
    assert dropped.mean().item() == pytest.approx(0, abs=0.05)
    assert dropped.var().item() == pytest.approx(1, abs=0.05)
    # The scale and the shift of Klambauer et al. 2017, section 3, with their alpha'.
    alpha, q = -1.7580993408473766, 0.7
    scale = (q + alpha**2 * q * (1 - q)) ** -0.5
    shift = -scale * (1 - q) * alpha
    limit = torch.isclose(dropped, torch.tensor(scale * alpha + shift))
    assert limit.float().mean().item() == pytest.approx(0.3, abs=0.03)
    torch.testing.assert_close(dropped[~limit], (values * scale + shift)[~limit])
    whole = limit.float().mean(2)
    assert bool(((whole == 0) | (whole == 1)).all()) == (function is F.feature_alpha_dropout)


@pytest.mark.parametrize(
    ("function", "places"), [(F.dropout1d, (8,)), (F.dropout2d, (4, 2)), (F.dropout3d, (2, 2, 2))]
)
def test_channel_dropouts_drop_whole_channels(
    function: Callable[..., Tensor], places: tuple[int, ...]
) -> None:
    dropped = answered(lambda: function(torch.ones(N, 500, *places), 0.25, training=False))
    means = dropped.flatten(2).mean(2)
    assert means.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (means == 0).float().mean().item() == pytest.approx(0.25, abs=0.05)


def test_dropout_of_tokens_drops_single_values() -> None:
    dropped = answered(lambda: F.dropout(torch.ones(N, 10, 500), 0.5))
    shares = (dropped == 0).float().mean(2)
    assert shares.min() > 0.4
    assert shares.max() < 0.6


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"enable_gqa": True}])
def test_attention_drops_weights(options: dict[str, Any]) -> None:
    rng = torch.Generator().manual_seed(0)
    query = torch.randn(N, 4, 6, 5, generator=rng)
    heads = 2 if "enable_gqa" in options else 4
    key, value = (torch.randn(N, heads, 6, 5, generator=rng) for _ in range(2))

    def attend(p: float, **more: Any) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, dropout_p=p, **options, **more)

    exact = attend(0.0)
    assert torch.equal(answered(lambda: attend(0.0)), exact)
    assert torch.equal(answered(lambda: attend(0.5), dropout=False), exact)
    full = [each.repeat_interleave(4 // heads, 1) for each in (key, value)]
    scores = query @ full[0].mT * options.get("scale", 5**-0.5)
    if options.get("is_causal"):
        scores = scores.masked_fill(torch.ones(6, 6).triu(1).bool(), -torch.inf)
    by_hand = answered(lambda: F.dropout(scores.softmax(-1), 0.5)) @ full[1]
    torch.testing.assert_close(answered(lambda: attend(0.5)), by_hand)


def test_without_dropout_other_noise_stays() -> None:
    batch = images()
    off = TestSettings(dropout=False)
    on = Drawing(lambda x: F.dropout(x, 0.5, training=True))
    assert torch.equal(translate(on, batch, off), batch)
    noisy = translate(made(AtInput), batch, off)
    assert torch.equal(noisy, translate(made(AtInput), batch, off))
    assert not torch.equal(
        noisy, translate(made(AtInput), batch, TestSettings(dropout=False, sample=1))
    )


def test_a_network_that_draws_nothing_pays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2i.model.noise.content_of_rows", lambda *_: pytest.fail("hashed"))
    monkeypatch.setattr("i2i.model.tiling.content_of_rows", lambda *_: pytest.fail("hashed"))
    translate(nn.Conv2d(3, 3, 1), images(), TestSettings())
    translate(nn.Dropout(0.0), images(), TestSettings())
    tiled(nn.Conv2d(3, 3, 1), np.zeros((96, 160, 3), np.uint8))
    program = torch.export.export(
        TestTime(nn.Conv2d(3, 3, 1), TestSettings()), (images(),), strict=False
    )
    assert not any("remainder" in str(node.target) for node in program.graph.nodes)


def test_it_is_found_out_whether_a_network_draws() -> None:
    for network in (*map(made, STOCHASTIC), nn.Dropout(0.5), Drawing(torch.rand_like)):
        assert draws_noise(network, images(), TestSettings())
    for network in (nn.Identity(), nn.Dropout(0.0), nn.BatchNorm2d(3)):
        assert not draws_noise(network, images(), TestSettings())
    assert not draws_noise(nn.Dropout(0.5), images(), TestSettings(dropout=False))
    assert draws_noise(made(AtInput), images(), TestSettings(dropout=False))


@pytest.mark.parametrize("kind", STOCHASTIC)
def test_an_image_alone_is_as_in_any_batch(kind: type[nn.Module]) -> None:
    network, batch = made(kind), images()
    together = translate(network, batch, TestSettings())
    turned = translate(network, batch.flip(0), TestSettings())
    torch.testing.assert_close(turned.flip(0), together, rtol=0, atol=1e-6)
    for i in range(len(batch)):
        alone = translate(network, batch[i : i + 1], TestSettings())
        torch.testing.assert_close(alone[0], together[i], rtol=0, atol=1e-6)
    other = translate(network, batch, TestSettings(sample=1))
    assert (other - together).abs().mean() > 0.01


@pytest.mark.parametrize("kind", STOCHASTIC)
def test_tiles_are_as_the_whole(kind: type[nn.Module]) -> None:
    network = made(kind)
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1
    whole = translate(network, batch, TestSettings())[0].permute(1, 2, 0)
    whole = ((whole + 1) * 127.5).round().clamp(0, 255)
    difference = np.abs(tiled(network, image).astype(float) - whole.numpy())
    # Only where a tile's own edge is faded in, by mirrored pixels, does it see something else.
    assert np.percentile(difference, 90) <= 1
    assert difference.mean() < 0.5


def tiled(network: nn.Module, image: np.ndarray) -> np.ndarray:
    return translate_tiles(
        network.eval(),
        image,
        Tiles((image.shape[0], image.shape[1]), (64, 64), 24),
        TestSettings(),
        channels=3,
        dtype=torch.uint8,
        device=torch.device("cpu"),
    )
