"""What a step computes."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import i2i
from i2i.cli import program
from i2i.errors import RecipeError
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer

Build = Callable[..., Any]
SEED = 2
"""The tiny recipe's seed."""


def images(seed: int = 0, number: int = 2) -> i2i.Batch:
    drawn = torch.rand(2, number, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return i2i.Batch(drawn[0], drawn[1], ("a",) * number, ("b",) * number)


def flipped(step: int) -> bool:
    return bool(np.random.default_rng((SEED, step, 0)).random() < 0.5)


def by_hand(
    networks: dict[str, nn.Module], source: Tensor, output: Tensor, step: int, flip: bool
) -> Tensor:
    """PatchNCE of all images, in the plainest way, with the tiny recipe's options."""
    layers = networks["generator"].layers
    random = np.random.default_rng((SEED, step, 1))
    total = torch.zeros(())
    for i, number in enumerate((0, 4, 8, 12)):
        queries, keys = layers[: number + 1](output), layers[: number + 1](source)
        queries = queries.flip(3) if flip else queries
        width = queries.shape[3]
        places = random.permutation(queries.shape[2] * width)[:16]
        embedded = []
        for maps in (queries, keys):
            picked = torch.stack([maps[:, :, p // width, p % width] for p in places.tolist()], 1)
            raw = networks["features"].heads[i](picked)
            embedded.append(raw / (raw.norm(dim=2, keepdim=True) + 1e-7))
        q, k = embedded[0], embedded[1].detach()
        for n in range(len(q)):
            for p in range(16):
                logits = (k[n] @ q[n, p]) / 0.07
                total = total + (logits.logsumexp(0) - logits[p]) / (16 * len(q) * 4)
    return total


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("identity", [False, True])
def test_a_step_is_what_is_written_out_here(
    recipe: Build, method: Build, has_effect: Build, flips: bool, identity: bool
) -> None:
    options = {"method": {"flip_equivariance": flips, "identity": identity, "nce_weight": 3.0}}
    ours = method(**options)
    mine = copy.deepcopy(ours.networks)
    trainer = Trainer(recipe(**options), Engine("cpu"), ours, steps_per_epoch=1000)

    def adam(*names: str) -> torch.optim.Adam:
        own = [p for name in names for p in mine[name].parameters()]
        return torch.optim.Adam(own, lr=2e-4, betas=(0.5, 0.999), eps=1e-2)

    judge, translate = mine["discriminator"], mine["generator"]
    movers = adam("discriminator"), adam("generator", "features")
    assert [flipped(step) for step in range(2)] == [True, False]
    for step in range(2):
        batch = images(step)
        losses = trainer.update(batch, lambda _: "")
        flip = flips and flipped(step)
        fake = translate(batch.input.flip(3) if flip else batch.input)
        wrong, right = judge(fake.detach()), judge(batch.target)
        d = 0.5 * ((wrong**2).mean() + ((right - 1) ** 2).mean())
        movers[0].zero_grad()
        d.backward()
        movers[0].step()
        gan = ((judge(fake) - 1) ** 2).mean()
        nce = 3 * by_hand(mine, batch.input, fake, step, flip)
        expected = {"discriminator": d, "gan": gan, "nce": nce}
        if identity:
            same = translate(batch.target.flip(3) if flip else batch.target)
            expected["nce"] = nce / 2
            expected["nce.identity"] = 1.5 * by_hand(mine, batch.target, same, step, flip)
        movers[1].zero_grad()
        sum(loss for name, loss in expected.items() if name != "discriminator").backward()
        movers[1].step()
        assert losses == pytest.approx({n: e.item() for n, e in expected.items()}, rel=1e-5)
    for label, network in trainer.method.networks.items():
        expected_weights = mine[label].state_dict()
        for name, weight in network.state_dict().items():
            if has_effect(f"{label}.{name}"):
                torch.testing.assert_close(weight, expected_weights[name], rtol=0, atol=1e-6)


def test_a_mirrored_output_is_mirrored_back_before_it_is_compared(method: Build) -> None:
    ours = method(method={"layers": [0], "identity": False})
    sources = images().input
    outputs = sources + 0.1 * images(1).input
    played = ours.play(images())
    plain = played._replace(sources=sources, outputs=outputs, flipped=False)
    mirrored = plain._replace(outputs=outputs.flip(3), flipped=True)
    found, right, wrong = (
        ours.losses(("generator",), images(), each)["generator"]["nce"].item()
        for each in (mirrored, plain, mirrored._replace(flipped=False))
    )
    assert found == pytest.approx(right, rel=1e-6)
    assert wrong > right + 0.1


def test_draws_of_a_step_are_the_same_for_all_parts_and_rounds(method: Build) -> None:
    ours = method(method={"flip_equivariance": True})
    batch = images()
    steps = []
    for _ in range(3):
        for movers in ours.rounds:
            for _part in range(2):
                steps.append((ours.draws.step, ours.play(batch).flipped))
                ours.losses(movers, batch, ours.play(batch))
    assert steps == [(step, flipped(step)) for step in range(3) for _ in range(4)]
    assert ours.state_dict() == {"step": torch.tensor(3)}


@pytest.mark.parametrize("kind", ["cut", "fastcut"])
def test_a_batch_in_parts_gives_the_weights_of_a_whole_one(
    recipe: Build, method: Build, has_effect: Build, kind: str
) -> None:
    """In double precision: training enlarges rounding errors from step to step."""
    weights, logs = [], []
    for parts in (1, 2):
        options = {"method": {"type": kind}, "train": {"batch_size": 4, "accumulate": parts}}
        ours = method(**options)
        for network in ours.networks.values():
            network.double()
        trainer = Trainer(recipe(**options), Engine("cpu"), ours, steps_per_epoch=1000)
        log = []
        for step in range(4):
            drawn = images(step, 4)
            batch = i2i.Batch(drawn.input.double(), drawn.target.double(), drawn.names, drawn.names)
            log.append(trainer.update(batch, lambda _: ""))
        logs.append(log)
        weights.append(
            {
                f"{label}.{name}": weight
                for label, network in trainer.method.networks.items()
                for name, weight in network.state_dict().items()
            }
        )
    for name in filter(has_effect, weights[0]):
        torch.testing.assert_close(weights[0][name], weights[1][name], rtol=0, atol=1e-9)
    for whole, split in zip(*logs, strict=True):
        assert whole == pytest.approx(split, rel=1e-6)


GAN = {"type": "gan"}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"losses": [{"type": "cgan"}]}, 'adversarial loss without a condition.*type = "gan"'),
        ({"losses": [{"type": "l1"}]}, 'adversarial loss without a condition.*type = "gan"'),
        ({"losses": [GAN, {"type": "l1"}]}, 'one adversarial loss.*not gan, l1.*type = "gan"'),
        ({"method": {"layers": [0, 13]}}, "0 to 12.*change method.layers or generator.blocks"),
        ({"channels": (1, 3)}, "equal channels, not 1 and 3"),
        ({"channels": (1, 3), "method": {"identity": False}}, "equal channels, not 1 and 3"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(
    method: Build, sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        method(**sections)


def test_a_generator_without_features_is_refused(tiny: Build) -> None:
    import tomli_w

    document = tiny() | {"generator": {"type": "unet", "depth": 3, "base_channels": 4}}
    Path("unet.toml").write_text(tomli_w.dumps(document))
    checked = CliRunner().invoke(program, ["check", "unet.toml"])
    assert checked.exit_code != 0
    text = checked.output + str(checked.exception)
    assert 'not UNet: set generator.type = "cut_resnet"' in text


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
