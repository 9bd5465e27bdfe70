"""Private folders in the temporary folder: made, locked, swept, whatever others do meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from aboveboard.storage import scratch
from aboveboard.storage.scratch import PREFIX, scratch_folder, sweep_scratch
from aboveboard.storage.spilling import SpillFolder

Make = Callable[[], AbstractContextManager[Path]]


@contextmanager
def spill_folder() -> Iterator[Path]:
    folder = SpillFolder()
    yield folder.path
    folder.close()


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def sweep_away(_folder: Path) -> None:
    sweep_scratch()


def hold_for_a_sweep(folder: Path) -> None:
    """Lock a folder as a sweep does before it removes it, and never let it go."""
    scratch.lock_folder(folder)


@pytest.mark.skipif(os.name != "posix", reason="folders are locked and swept on POSIX alone")
@pytest.mark.parametrize("make", [scratch_folder, spill_folder])
@pytest.mark.parametrize("meanwhile", [sweep_away, hold_for_a_sweep])
def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(
    monkeypatch: pytest.MonkeyPatch, make: Make, meanwhile: Callable[[Path], None]
) -> None:
    made: list[Path] = []
    true_make = tempfile.mkdtemp

    def make_and_lose(prefix: str) -> str:
        folder = true_make(prefix=prefix)
        made.append(Path(folder))
        if len(made) == 1:
            meanwhile(made[0])
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lose)
    with make() as folder:
        assert folder == made[1]
        (folder / "kept").write_text("rows")
        sweep_scratch()
        assert (folder / "kept").read_text() == "rows"
    assert not folder.exists()


@pytest.mark.parametrize("make", [scratch_folder, spill_folder])
def test_what_an_ended_process_left_goes_away(tmp_path: Path, make: Make) -> None:
    left = tmp_path / f"{PREFIX}left"
    (left / "deep").mkdir(parents=True)
    (left / "deep" / "rows.arrow").write_text("rows")
    (tmp_path / "another").mkdir()
    with make() as folder:
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {"another", folder.name}
