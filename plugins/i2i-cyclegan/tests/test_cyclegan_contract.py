"""The components keep the contracts of i2i."""

from i2i.testing import check_generator, check_method


def test_the_generator_keeps_its_contract() -> None:
    check_generator("resnet")


def test_the_method_keeps_its_contract() -> None:
    check_method("cyclegan")
