"""Sources of weights: the user's folder, the publishers' files and Python packages."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from i2i.errors import WeightsError
from i2i.system.download import download
from i2i.system.files import scratch
from i2i.system.hashing import tensors_sha256
from i2i.weights import packages, store
from i2i.weights.catalogue import Pinned, prefix
from i2i.weights.convert import from_canonical, from_member
from i2i.weights.places import kept_file
from i2i.weights.tensors import Damaged

Tensors = dict[str, Tensor]


def from_folder(pinned: Pinned, path: Path) -> Tensors:
    """Read and verify weights from a file in the user's folder.

    Raises:
        WeightsError: If the file is damaged or holds other weights. No other source is tried then.
    """
    try:
        if path.name == pinned.stored:
            return store.checked(pinned, path).tensors
        if path.name in pinned.files:
            tensors = _canonical(pinned, path)
        else:
            assert pinned.package is not None
            tensors = from_member(pinned.name, packages.member(pinned.package, path))
        _verify(pinned, tensors)
    except (Damaged, OSError) as error:
        raise WeightsError(
            f"{path}: {error}. These are not the weights '{pinned.name}' ({pinned.wanted}): "
            "remove the file or replace it"
        ) from error
    return tensors


def fetched(pinned: Pinned, answer: Callable[[str], None]) -> tuple[Tensors, str] | None:
    """Fetch and verify weights from the first source that has them.

    Args:
        pinned: The catalogue's entry.
        answer: Called with the error message of each source that failed.

    Returns:
        The tensors and the source as text; None if every source failed.
    """
    with scratch(kept_file(pinned)) as folder:
        for source, get in _sources(pinned, folder):
            try:
                tensors = get()
                _verify(pinned, tensors)
            except (Damaged, OSError) as error:
                answer(f"{source}: {error}")
            else:
                return tensors, source
    return None


def _sources(pinned: Pinned, folder: Path) -> list[tuple[str, Callable[[], Tensors]]]:
    sources: list[tuple[str, Callable[[], Tensors]]] = []
    url, package = pinned.url, pinned.package
    if url is not None:
        sources.append((url, lambda: _published(pinned, url, folder)))
    if package is not None:
        sources.append(
            (
                f"package {package.requirement}",
                lambda: from_member(
                    pinned.name, packages.member(package, packages.download(package, folder))
                ),
            )
        )
    return sources


def _published(pinned: Pinned, url: str, folder: Path) -> Tensors:
    try:
        path = download(url, folder / pinned.files[0])
    except OSError as error:
        raise OSError(f"can't be fetched: {error}") from error
    return _canonical(pinned, path)


def _canonical(pinned: Pinned, path: Path) -> Tensors:
    """Read a canonical file, whose name may have the first digits of its SHA-256."""
    data = path.read_bytes()
    found, expected = hashlib.sha256(data).hexdigest(), prefix(path.name)
    if not found.startswith(expected):
        raise Damaged(f"is another file: SHA-256 {found}, expected one that begins with {expected}")
    return from_canonical(pinned.name, data)


def _verify(pinned: Pinned, tensors: Tensors) -> None:
    found = tensors_sha256(tensors)
    if pinned.sha256 is not None and found != pinned.sha256:
        raise Damaged(f"holds other tensors: their SHA-256 {found}, expected {pinned.sha256}")
