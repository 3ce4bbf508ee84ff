"""The conformance kit says in a sentence what a broken component breaks."""

import re

import pytest
import torch

from i2i.testing import (
    ConformanceError,
    check_dataset,
    check_discriminator,
    check_generator,
    check_loss,
    check_method,
    check_metric,
)
from i2i.testing.checks import CHECKS
from i2i.testing.subject import subject_of
from tests.testing import broken_losses, broken_methods, broken_metrics, broken_networks
from tests.testing.broken_datasets import DATASETS, Halves, Paired, Unpaired, Upwards

BROKEN = {
    "dataset": DATASETS,
    "generator": broken_networks.GENERATORS,
    "discriminator": broken_networks.DISCRIMINATORS,
    "loss": broken_losses.LOSSES,
    "metric": broken_metrics.METRICS,
    "method": broken_methods.METHODS,
}
CHECK = {(kind, check.name): check for kind, checks in CHECKS.items() for check in checks}


@pytest.mark.parametrize(
    ("kind", "name", "component", "sentence"),
    [
        pytest.param(
            kind, *row, id=f"{kind}-{row[1].__name__}",
            marks=[pytest.mark.slow] if CHECK[kind, row[0]].slow else [],
        )
        for kind, rows in BROKEN.items()
        for row in rows
    ],
)  # fmt: skip
def test_the_kit_says_what_a_component_breaks(
    kind: str, name: str, component: type, sentence: str
) -> None:
    if name == "export to ONNX":
        pytest.importorskip("onnxruntime", reason="needs the extra export")
    with pytest.raises(ConformanceError, match=re.escape(sentence)) as refusal:
        CHECK[kind, name].run(subject_of(kind, component, {}))
    message = str(refusal.value)
    assert message.startswith(f"{kind} '{component.__name__}' of ")
    assert "\n" not in message


def test_every_check_refuses_something() -> None:
    assert {(kind, row[0]) for kind, rows in BROKEN.items() for row in rows} == CHECK.keys()


def test_the_same_components_without_the_fault_pass() -> None:
    assert check_generator(broken_networks.Generator) == []
    assert check_discriminator(broken_networks.Discriminator) == [
        "judging several batches: it has no judge()"
    ]
    assert check_loss(broken_losses.Loss) == []
    assert check_loss(broken_losses.Adversarial) == []
    assert check_metric(broken_metrics.Metric) == []
    assert check_method(broken_methods.Method) == []


@pytest.mark.parametrize("component", [Paired, Unpaired, Halves])
def test_good_data_sets_pass_with_pairs_and_without(component: type) -> None:
    assert check_dataset(component) == []


def test_the_functions_for_a_plugins_tests_refuse_what_the_checks_refuse() -> None:
    with pytest.raises(ConformanceError, match="must stay in"):
        check_generator(broken_networks.Unbounded)
    with pytest.raises(ConformanceError, match="can't learn from it"):
        check_discriminator(broken_networks.Blind)
    with pytest.raises(ConformanceError, match="a loss is a scalar tensor"):
        check_loss(broken_losses.Map)
    with pytest.raises(ConformanceError, match="in the reverse order"):
        check_metric(broken_metrics.Smoothed)
    with pytest.raises(ConformanceError, match="is unsafe as a file name"):
        check_dataset(Upwards)
    with pytest.raises(ConformanceError, match="belongs to no player"):
        check_method(broken_methods.NoPlayer)


def test_an_option_that_a_component_does_not_have_is_refused() -> None:
    with pytest.raises(ConformanceError, match=r"can't be built: .*width"):
        check_loss("l1", width=3)


def test_checks_leave_the_random_state_as_it_is() -> None:
    before = torch.get_rng_state()
    check_discriminator("patch")
    check_metric("l1")
    check_loss("cgan")
    assert torch.equal(before, torch.get_rng_state())
