"""`exchange.union` as a collaboration file, at its smallest."""

from __future__ import annotations

from pathlib import Path

import aboveboard as ab


def test_a_party_alone_is_audited_too(tmp_path: Path) -> None:
    path = tmp_path / "alone.toml"
    path.write_text('mechanism = "exchange.union"\n[parties.alpha]\nelements = ["a", "b"]\n')
    verdicts = ab.audit(ab.load(path))
    assert verdicts["Pareto efficient"].status == "holds"
    assert verdicts["strong dominance"].status == "vacuous"
    assert not verdicts.any_fails()
