"""One update: who moves when, on whose gradients, and what doesn't depend on how it is computed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from i2i.batch import Batch
from i2i.errors import TrainingError
from i2i.methods.pix2pix import Pix2Pix
from i2i.recipe import Recipe, parse_recipe
from i2i.recipe.assemble import assemble_losses, assemble_method
from i2i.training import checkpoint as checkpoints
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer
from tests.conftest import tiny

Recipes = Callable[..., Recipe]
QUIET: dict[str, Any] = {"norm": "instance", "dropout": 0.0}


def trainer(
    recipe: Recipe,
    engine: Engine | None = None,
    frozen: Callable[[Mapping[str, nn.Module]], nn.Parameter] | None = None,
) -> Trainer:
    engine = engine or Engine("cpu", recipe.train.precision)
    method = assemble_method(recipe, (3, 3), assemble_losses(recipe))
    if frozen is not None:
        frozen(method.networks).requires_grad_(False)
    return Trainer(recipe, engine, method, steps_per_epoch=10)


def batch(n: int = 4, seed: int = 0) -> Batch:
    source = torch.Generator().manual_seed(seed)
    images = torch.rand(2, n, 3, 32, 32, generator=source) * 2 - 1
    return Batch(images[0], images[1], tuple(map(str, range(n))))


def no_files(batch: Batch) -> str:
    return ", ".join(batch.names)


def unet(**options: Any) -> dict[str, Any]:
    return {"type": "unet", "depth": 3, "base_channels": 4, **options}


def plain_step(training: Trainer, pairs: Batch, *, simultaneous: bool) -> None:
    """The same update written out by hand with its own optimizers."""
    generator = training.method.networks["generator"]
    discriminator = training.method.networks["discriminator.cgan"]
    adam = [
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        for network in (generator, discriminator)
    ]
    bce = nn.functional.binary_cross_entropy_with_logits
    output = generator(pairs.input)
    real = discriminator(torch.cat([pairs.input, pairs.target], 1))
    fake = discriminator(torch.cat([pairs.input, output.detach()], 1))
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    discriminator_loss = 0.5 * (bce(real, ones) + bce(fake, zeros))

    def generator_loss() -> torch.Tensor:
        logits = discriminator(torch.cat([pairs.input, output], 1))
        return bce(logits, ones) + 100 * (output - pairs.target).abs().mean()

    if simultaneous:
        of_generator = torch.autograd.grad(generator_loss(), list(generator.parameters()))
    discriminator_loss.backward()
    adam[1].step()
    if not simultaneous:
        of_generator = torch.autograd.grad(generator_loss(), list(generator.parameters()))
    for parameter, gradient in zip(generator.parameters(), of_generator, strict=True):
        parameter.grad = gradient
    adam[0].step()


@pytest.mark.parametrize("order", ["after", "before"])
def test_an_update_is_the_one_written_out_by_hand(tiny_recipe: Recipes, order: str) -> None:
    options = {
        "generator": unet(**QUIET),
        "discriminator": {
            "type": "patch",
            "receptive_field": 16,
            "base_channels": 4,
            "norm": "instance",
        },
        "method": {"type": "pix2pix", "adversarial_gradient": order},
    }
    ours, plain = trainer(tiny_recipe(**options)), trainer(tiny_recipe(**options))
    ours.update(batch(), no_files)
    plain_step(plain, batch(), simultaneous=order == "before")
    for name, network in ours.method.networks.items():
        other = plain.method.networks[name].state_dict()
        for key, tensor in network.state_dict().items():
            torch.testing.assert_close(tensor, other[key], rtol=0, atol=2e-7)


def test_the_two_orders_of_the_adversarial_gradient_differ(tiny_recipe: Recipes) -> None:
    outcomes = []
    for order in ("after", "before"):
        method = {"type": "pix2pix", "adversarial_gradient": order}
        training = trainer(tiny_recipe(generator=unet(**QUIET), method=method))
        for step in range(3):
            training.update(batch(seed=step), no_files)
        outcomes.append(next(training.models.trained["generator"].parameters()).detach())
    assert not torch.equal(*outcomes)


def test_the_discriminator_s_passes_are_saved_in_the_before_order(tiny_recipe: Recipes) -> None:
    judged = {}
    for order in ("after", "before"):
        method = {"type": "pix2pix", "adversarial_gradient": order}
        training = trainer(tiny_recipe(method=method))
        seen: list[int] = []
        discriminator = training.method.networks["discriminator.cgan"]
        next(discriminator.children()).get_submodule("0").register_forward_hook(
            lambda _, shown, __, seen=seen: seen.append(len(shown[0]))
        )
        training.update(batch(4), no_files)
        judged[order] = sum(seen)
    assert judged == {"after": 3 * 4, "before": 2 * 4}


def test_a_generator_s_step_leaves_no_gradient_on_the_discriminator(tiny_recipe: Recipes) -> None:
    training = trainer(tiny_recipe())
    assert isinstance(training.method, Pix2Pix)
    output = training.method.play(batch())
    terms = training.method.losses(("generator",), batch(), output)["generator"]
    training.engine.backward(
        torch.stack(list(terms.values())).sum(), training.parameters["generator"], keep_graph=False
    )
    assert all(p.grad is None for p in training.parameters["discriminator"])
    assert all(p.grad is not None for p in training.parameters["generator"])


@pytest.mark.parametrize("order", ["after", "before"])
def test_parts_change_nothing_but_the_memory(tiny_recipe: Recipes, order: str) -> None:
    outcomes = []
    for parts in (1, 4):
        training = trainer(
            tiny_recipe(
                generator=unet(**QUIET),
                discriminator={
                    "type": "patch",
                    "receptive_field": 16,
                    "base_channels": 4,
                    "norm": "instance",
                },
                method={"type": "pix2pix", "adversarial_gradient": order},
                train={"accumulate": parts, "batch_size": 4},
            )
        )
        losses = [training.update(batch(seed=step), no_files) for step in range(3)]
        outcomes.append((training.models.trained["generator"].state_dict(), losses))
    for name, tensor in outcomes[0][0].items():
        torch.testing.assert_close(tensor, outcomes[1][0][name], rtol=0, atol=1e-6)
    assert outcomes[0][1][2] == pytest.approx(outcomes[1][1][2], rel=1e-4)


def test_the_noise_of_a_step_depends_on_nothing_but_the_step(tiny_recipe: Recipes) -> None:
    recipe = tiny_recipe()
    one, other = trainer(recipe), trainer(recipe)
    torch.manual_seed(99)
    one.update(batch(), no_files)
    torch.rand(1000)
    other.update(batch(), no_files)
    for name, tensor in one.models.trained["generator"].state_dict().items():
        assert torch.equal(tensor, other.models.trained["generator"].state_dict()[name])


def test_the_average_of_the_weights_is_the_model(tiny_recipe: Recipes) -> None:
    training = trainer(tiny_recipe(train={"ema": 0.9}))
    expected = None
    for step in range(4):
        training.update(batch(seed=step), no_files)
        now = next(training.models.trained["generator"].parameters()).detach().clone()
        expected = now if expected is None else 0.9 * expected + 0.1 * now
    averaged = next(training.model.parameters())
    torch.testing.assert_close(averaged.detach(), expected)
    assert not torch.equal(averaged, next(training.models.trained["generator"].parameters()))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"type": "constant"}, [1, 1, 1, 1]),
        ({"type": "linear", "decay_from": 0.5}, [1, 1, 0.5, 0.0]),
        ({"type": "cosine", "decay_from": 0.0}, [1, 0.5, 0.1464, 0.0]),
    ],
)
def test_schedules_are_functions_of_the_step(
    schedule: dict[str, Any], expected: list[float]
) -> None:
    document = tiny(train={"max_steps": 80}) | {"schedule": schedule}
    training = trainer(parse_recipe(document))
    rates = []
    for step in (0, 40, 60, 80):
        training.step = step
        rates.append(training.learning_rate / 2e-4)
    assert rates == pytest.approx(expected, abs=1e-3)


def test_clipping_bounds_the_norm_of_the_gradient(tiny_recipe: Recipes) -> None:
    training = trainer(tiny_recipe())
    output = training.method.play(batch())
    parameters = training.parameters["generator"]
    training.engine.backward(output.sum() * 1e3, parameters, keep_graph=False)
    kept: list[torch.Tensor] = []
    optimizer = training.optimizers["generator"]
    optimizer.register_step_pre_hook(
        lambda *_: kept.extend(p.grad.clone() for p in parameters if p.grad is not None)
    )
    assert training.engine.update(optimizer, parameters, 0.5)
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in kept]))
    assert norm.item() == pytest.approx(0.5, rel=1e-3)


def test_a_loss_that_is_not_a_number_stops_with_its_name_and_the_files(
    tiny_recipe: Recipes,
) -> None:
    training = trainer(tiny_recipe())
    pairs = batch()
    pairs.target[1, 0, 3, 3] = float("nan")
    with pytest.raises(TrainingError, match=r"step 1: the loss '.*' is nan; the batch was 0, 1, 2"):
        training.update(pairs, no_files)


def test_a_gradient_that_is_not_a_number_stops_before_any_weight_changes(
    tiny_recipe: Recipes,
) -> None:
    training = trainer(tiny_recipe(losses=[{"type": "l1"}]))
    before = {k: v.clone() for k, v in training.models.trained["generator"].named_parameters()}
    first = next(training.models.trained["generator"].parameters())
    first.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingError, match="generator's gradient is not finite"):
        training.update(batch(), no_files)
    assert all(
        torch.equal(v, before[k])
        for k, v in training.models.trained["generator"].named_parameters()
    )


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_trains_near_full_precision(tiny_recipe: Recipes, precision: str) -> None:
    full = trainer(tiny_recipe(generator=unet(**QUIET)))
    half = trainer(tiny_recipe(generator=unet(**QUIET), train={"precision": precision}))
    for step in range(3):
        exact = full.update(batch(seed=step), no_files)
        rough = half.update(batch(seed=step), no_files)
    assert rough == pytest.approx(exact, rel=0.05)
    assert all(p.dtype == torch.float32 for p in half.models.trained["generator"].parameters())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_moments_saved_in_another_memory_format_are_gone_on_from(
    tiny_recipe: Recipes, tmp_path: Path, layout: torch.memory_format
) -> None:
    whole, first, second = (trainer(tiny_recipe(generator=unet(**QUIET))) for _ in range(3))
    for step in range(2):
        whole.update(batch(seed=step), no_files)
        first.update(batch(seed=step), no_files)
    for optimizer in first.optimizers.values():
        for values in optimizer.state.values():
            for name in ("exp_avg", "exp_avg_sq"):
                if values[name].ndim == 4:
                    values[name] = values[name].contiguous(memory_format=layout)
    saved = checkpoints.save(
        tmp_path,
        2,
        models=first.models,
        recipe="",
        data={"generator": ""},
        training=first.state(),
        best=None,
    )
    second.restore(saved)
    for training in (whole, second):
        training.update(batch(seed=2), no_files)
    for name, tensor in whole.models.trained["generator"].state_dict().items():
        assert torch.equal(tensor, second.models.trained["generator"].state_dict()[name]), name
