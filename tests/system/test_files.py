"""Names that try to leave their folder, and files that are never half written."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from i2i.errors import DataError
from i2i.system.files import safe_join, write_whole


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "inside").mkdir(parents=True)
    (tmp_path / "root_of_somebody_else").mkdir()
    return folder


@pytest.mark.parametrize("name", ["a.png", "inside/a.png", "a/b/c", "inside/../a", "..a", "a..b"])
def test_names_inside_are_joined(root: Path, name: str) -> None:
    assert safe_join(root, name) == (root / name).resolve()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "../../x",
        "inside/../../x",
        "..",
        "/etc/passwd",
        "a\0b",
        "",
        ".",
        "inside/..",
        "../root_of_somebody_else/x",
    ],
)
def test_names_that_lead_out_are_refused(root: Path, name: str) -> None:
    with pytest.raises(DataError):
        safe_join(root, name)


def test_an_absolute_name_is_refused_even_if_it_is_inside(root: Path) -> None:
    with pytest.raises(DataError, match="relative"):
        safe_join(root, str(root / "inside"))


def test_links_are_followed_before_anything_is_allowed(root: Path) -> None:
    (root / "out").symlink_to(root.parent)
    (root / "in").symlink_to(root / "inside")
    (root / "loop").symlink_to(root / "loop")
    assert safe_join(root, "in/a") == (root / "inside" / "a").resolve()
    for name in ("out", "out/x", "loop/a"):
        with pytest.raises(DataError):
            safe_join(root, name)


def test_a_root_that_is_a_link_is_followed(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert safe_join(link, "inside/a") == (root / "inside" / "a").resolve()


@given(st.text(st.sampled_from("ab./\\\0 é\n\ud800"), max_size=12))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_name_the_path_is_inside_or_refused(root: Path, name: str) -> None:
    try:
        path = safe_join(root, name)
    except DataError:
        return
    assert root.resolve() in path.parents


def test_a_name_too_long_for_the_file_system_is_refused_or_inside(root: Path) -> None:
    try:
        path = safe_join(root, "a" * 5000)
    except DataError:
        return
    assert root.resolve() in path.parents


def test_a_text_replaces_the_old_one_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with path.open() as reader:
        write_whole(path, "new é")
        assert reader.read() == "old"
    assert path.read_text(encoding="utf-8") == "new é"
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_with_a_name_that_is_not_utf8_is_written_escaped(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "entr\udce9e and half a character: \ud800")
    assert path.read_text(encoding="utf-8") == "entr\\udce9e and half a character: \\ud800"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    texts = [f"{i}" * 10_000 for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_whole(path, text), texts * 5))
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]
