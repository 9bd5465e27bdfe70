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


def test_a_file_s_name_that_is_too_long_is_one_fault(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "learning.payments"\nseed = 1\n[quality]\nkind = "fitted"\n[valuation]\n'
        'kind = "linear"\nmatrix = [[1, 0], [0, 1]]\n[training]\n'
        f'estimator = "sklearn.linear_model.LogisticRegression"\ntest = "{"x" * 400}"\n'
        'label = "y"\n[parties.a]\ndata = "a.csv"\n[parties.b]\ndata = "b.csv"\n'
    )
    with pytest.raises(ab.InputError) as refused:
        ab.load(path)
    plain(refused.value)
