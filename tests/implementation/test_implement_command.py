"""`aboveboard implement`: a stranger's rule, lists that may be hidden, JSON and statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import aboveboard as ab
from aboveboard.cli import app
from aboveboard.commands.implementing import implement_collaboration
from aboveboard.errors import InputError
from trusting import trust

LISTS = """
mechanism = "exchange.union"
rule = "{rule}"
exclusivity = "{exclusivity}"
[parties.a]
elements = ["0", "1", "2"]
[parties.b]
elements = ["1", "2"]
[parties.c]
elements = ["2"]
"""


def write_lists(folder: Path, rule: str = "best-group", exclusivity: str = "1/2") -> Path:
    path = folder / "lists.toml"
    path.write_text(LISTS.format(rule=rule, exclusivity=exclusivity))
    return path


def test_best_group_below_exclusivity_one_has_payments(tmp_path: Path) -> None:
    # Without payments b gains 1/2 by hiding 2; with them nobody gains, though they cost.
    collaboration = ab.load(write_lists(tmp_path))
    assert ab.audit(collaboration, [ab.ExPostIC()])["ex-post IC"].status == "fails"
    found = implement_collaboration(collaboration, budget=None)
    assert found.implementable
    assert any(x != 0 for paid in found.payments.values() for x in paid)


def test_a_rule_that_is_honest_needs_no_payments(tmp_path: Path) -> None:
    found = implement_collaboration(ab.load(write_lists(tmp_path, "equal-gain")), payments="least")
    assert found.implementable
    if found.budget:
        assert all(x == 0 for paid in found.payments.values() for x in paid)


def test_json_has_the_keys_that_programs_rely_on(tmp_path: Path) -> None:
    path = write_lists(tmp_path)
    ran = CliRunner().invoke(app, ["implement", str(path), "--format", "json", "--no-budget"])
    assert ran.exit_code == 0
    data = json.loads(ran.stdout)
    assert {"implementable", "budget", "payments", "certificate"} <= set(data)
    assert data["budget"] is None


def test_too_many_types_are_refused_with_their_number(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    tables = "".join(
        f"[parties.p{k}]\nelements = {[f'{k}-{j}' for j in range(9)]}\n" for k in range(5)
    )
    path.write_text(f'mechanism = "exchange.union"\n{tables}')
    with pytest.raises(InputError, match="profiles of types"):
        implement_collaboration(ab.load(path))


OWN = '''
from aboveboard.exchange.union import Union
from aboveboard.exchange.union_file import UnionFile


class OwnFile(UnionFile):
    mechanism: str


class Own(Union):
    """Lists, by a rule that its user calls its own."""

    NAME, FILE = "own:Own", OwnFile
'''


def test_a_rule_of_ones_own_runs_once_its_code_is_trusted(tmp_path: Path) -> None:
    path = write_lists(tmp_path, "equal-gain")
    path.write_text(path.read_text().replace("exchange.union", "own:Own"))
    (tmp_path / "own.py").write_text(OWN)
    refused = CliRunner().invoke(app, ["implement", str(path)])
    assert isinstance(refused.exception, InputError)
    assert "--trust-code" in str(refused.exception)
    ran = CliRunner().invoke(app, ["implement", str(path), *trust(path)])
    assert ran.exit_code == 0, ran.exception
    assert "Payments make this rule honest" in ran.stdout
