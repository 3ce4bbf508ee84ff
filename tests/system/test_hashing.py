"""Hashes that are written into files stay what they are."""

from pathlib import Path

import torch

from i2i.system.hashing import file_sha256, json_sha256, tensors_sha256, text_sha256


def test_the_hashes_are_those_that_files_of_earlier_versions_hold(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("é".encode())
    expected = "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
    assert file_sha256(tmp_path / "file") == text_sha256("é") == expected
    assert json_sha256({"b": ["é", (1, 2)], "a": 0.5}) == text_sha256(
        '{"a": 0.5, "b": ["\\u00e9", [1, 2]]}'
    )
    tensors = {"b": torch.arange(3, dtype=torch.int32), "a": torch.tensor(0.5)}
    assert tensors_sha256(tensors) == tensors_sha256(dict(reversed(tensors.items())))
