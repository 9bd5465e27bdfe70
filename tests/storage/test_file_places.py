"""Files stay inside the collaboration's folder, unless more is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aboveboard.errors import InputError
from aboveboard.storage.paths import locate_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "in2").mkdir()
    (tmp_path / "in2" / "x.txt").write_text("a\n")
    (folder / "link.txt").symlink_to("../in2/x.txt")
    (folder / "round.txt").symlink_to("round.txt")
    return folder


@pytest.mark.parametrize(
    "name", ["../in2/x.txt", "link.txt", "/proc/self/environ", "deep/../../in2/x.txt", "/etc/hosts"]
)
def test_a_file_outside_of_the_folder_is_refused_unless_allowed(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"parties\.a\.data: .* lies outside of"):
        locate_file(folder, Path(name), "parties.a.data")
    allowed = locate_file(folder, Path(name), "parties.a.data", allow_outside=True)
    assert allowed == folder / name


@pytest.mark.parametrize("name", ["x.txt", "deep/x.txt", "deep/../x.txt", "round.txt"])
def test_a_file_inside_is_found_whether_it_is_there_or_not(folder: Path, name: str) -> None:
    assert locate_file(folder, Path(name), "p") == folder / name


def test_a_folder_that_is_a_link_is_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(folder)
    assert locate_file(tmp_path / "other", Path("x.txt"), "p") == tmp_path / "other" / "x.txt"
