"""The components keep the contracts of i2i."""

import pytest

from i2i.testing import check_discriminator, check_generator, check_method


def test_the_networks_keep_their_contracts() -> None:
    check_generator("cut_resnet")
    check_discriminator("cut_patch")


@pytest.mark.parametrize("name", ["cut", "fastcut"])
def test_the_methods_keep_their_contract(name: str) -> None:
    check_method(name)
