"""A file without parties is refused in one line, whatever its mechanism."""

from __future__ import annotations

from pathlib import Path

import pytest
from plainness import plain

import aboveboard as ab
from aboveboard.collaborations.registry import load_mechanisms


@pytest.mark.parametrize("name", sorted(load_mechanisms()))
def test_a_file_that_ends_after_its_first_keys_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "c.toml"
    for text in ("", "bits = 3\n", 'goods = ["x"]\nbits = 3\n', "seed = 1\n[parties]\n"):
        path.write_text(f'mechanism = "{name}"\n{text}')
        with pytest.raises(ab.InputError) as refused:
            ab.load(path)
        plain(refused.value)
