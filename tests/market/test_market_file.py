"""The files of the `market` system: read exactly, refused in one line."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aboveboard.errors import InputError
from aboveboard.games.lottery import Lottery
from aboveboard.market import Naive1, Naive2, ProposeAndAgree
from aboveboard.market.model.bidding import Additive, BundleTable, Or, Xor
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.storage.options import DataOptions

F = Fraction

FILE = """
mechanism = "market.propose_and_agree"
proposer = "a"
bits = 4
epsilon = "1/100"
delta = "1/2000"
{top}
[parties.a]
endowment = ["g1"]
bidding = "xor"
values = [{{goods = ["g1", "g2"], value = 3}}]
[parties.b]
endowment = ["g2"]
bidding = "additive"
values = [{{goods = ["g2"], value = {value}}}]
[parties.c]
{c}
{rest}
"""


def text(*, top: str = "", value: Any = 1, c: str = "", rest: str = "") -> str:
    return FILE.format(top=top, value=value, c=c, rest=rest)


class Folder:
    """Finds files as the collaboration's reader does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, place: str, data: Path, options: DataOptions | None = None) -> Path:
        return self.folder / data


def read(written: str, cls: type = ProposeAndAgree, folder: Path | None = None) -> Any:
    file = cls.FILE.model_validate(tomllib.loads(written, parse_float=Decimal))
    mechanism = cls.from_file(file)
    return mechanism, cls.read_reports(file, None if folder is None else Folder(folder))


def settled(written: str, cls: type = ProposeAndAgree) -> Lottery[Settlement]:
    mechanism, reports = read(written, cls)
    return mechanism.settle(reports)


def refused(written: str, cls: type = ProposeAndAgree) -> str:
    with pytest.raises(InputError) as caught:
        read(written, cls)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_fractions_are_read_exactly() -> None:
    mechanism, _ = read(text())
    assert (mechanism.epsilon, mechanism.delta) == (F(1, 100), F(1, 2000))


def test_who_is_named_no_price_pays_none_and_the_proposer_what_balances() -> None:
    named = text(rest='[proposal]\nallocation = {a = ["g1", "g2"]}\nprices = {b = 1}')
    (ending, _), *_ = settled(named)
    assert ending.details["announcement"]["prices"] == {"a": -1, "b": 1, "c": 0}


def test_every_language_is_read() -> None:
    values = '\nvalues = [{goods = ["g2"], value = -2}]'
    kinds = {"table": BundleTable, "xor": Xor, "or": Or}
    for name, language in kinds.items():
        _, reports = read(text(c=f'bidding = "{name}"' + values))
        assert reports["c"].valuation == language(((0b10, -2),))
    _, reports = read(text(c='bidding = "additive"' + values))
    assert reports["c"].valuation == Additive((0, -2))


def test_the_proposer_is_the_papers_player_1_wherever_it_is_listed() -> None:
    mechanism, reports = read(text().replace('proposer = "a"', 'proposer = "b"'))
    assert mechanism.setup.build_market(reports).players == ("b", "a", "c")
    settlement, _ = next(iter(mechanism.settle(reports)))
    assert list(settlement.parties) == ["a", "b", "c"]


def test_who_is_in_no_coalition_stands_alone() -> None:
    mechanism, _ = read(text(top='coalitions = [["a", "c"]]'))
    assert mechanism.structure == (frozenset({0, 2}), frozenset({1}))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (text(c='endowment = ["g2"]'), "parties.c.endowment: good 'g2' has two owners, b and c"),
        (text(c='endowment = ["g3", "g3"]'), "good 'g3' is listed twice"),
        (text(c='values = [{goods = ["g9"], value = 1}]'), "nobody brings the good 'g9'"),
        (text(value=8), "parties.b.values[0].value: it is 8; with bits = 4 values lie strictly"),
        (text(value=-8), "it is -8"),
        (
            text(c='bidding="or"\nvalues=[{goods=["g1"],value=7},{goods=["g2"],value=7}]'),
            "parties.c.values: a bundle is worth 14",
        ),
        (
            text(c='bidding="additive"\nvalues=[{goods=["g1"],value=-7},{goods=["g2"],value=-7}]'),
            "a bundle is worth -14",
        ),
        (
            text(c='bidding="additive"\nvalues=[{goods=["g1","g2"],value=1}]'),
            "an additive value is that of one good",
        ),
        (
            text(c='bidding="table"\nvalues=[{goods=["g1"],value=1},{goods=["g1"],value=2}]'),
            "the same goods have two values",
        ),
        (text(c='values = [{goods = ["g1", "g1"], value = 1}]'), "a good is listed twice"),
        (text(top='coalitions = [["a", "z"]]'), "coalitions[0]: 'z' is not a party"),
        (text(top='coalitions = [["a"], ["a", "b"]]'), "coalitions[1]: a is named twice"),
        (text().replace('proposer = "a"', 'proposer = "z"'), "proposer: 'z' is not a party"),
        (text().replace('epsilon = "1/100"', 'epsilon = "1/15"'), "epsilon: it is 1/15"),
        (text().replace('delta = "1/2000"', 'delta = "1/800"'), "delta: it is 1/800"),
        (text(rest='[votes]\nz = "yes"'), "votes.z: a stranger cannot vote"),
        (text(rest='[votes]\na = "yes"'), "votes.a: the proposer does not vote"),
        (text(rest='[proposal]\nallocation = {a = ["g1"]}'), "good 'g2' has no owner"),
        (
            text(rest='[proposal]\nallocation = {a = ["g1", "g2"], b = ["g2"]}'),
            "good 'g2' has two owners",
        ),
        (
            text(rest='[proposal]\nallocation = {z = ["g1"], b = ["g2"]}'),
            "proposal.allocation.z: this is not a party",
        ),
        (
            text(rest='[proposal]\nallocation = {a = ["g1", "g2"]}\nprices = {z = 1}'),
            "proposal.prices.z: this is not a party",
        ),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(wrong: str, said: str) -> None:
    assert said in refused(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        text(value='"one"'),
        text(value="[1]"),
        text(rest='[votes]\nb = "maybe"'),
        text(top="seconds = 0"),
        text(top="colour = 1"),
        text().replace("bits = 4", "bits = 0"),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused_by_the_files_model(wrong: str) -> None:
    with pytest.raises(ValidationError):
        read(wrong)


PROPOSAL = '[proposal]\nallocation = {a = ["g1", "g2"]}\nprices = %s'


@pytest.mark.parametrize(
    "prices",
    [
        "{a = -16, b = 16, c = 0}",  # |16| = 2^k
        "{a = -1.5, b = 1.5, c = 0}",
        "{a = 0, b = 1, c = 0}",
    ],
)
def test_an_announcement_outside_the_domain_is_a_legal_move_that_step_a_fines(prices: str) -> None:
    ((settlement, weight),) = settled(text(rest=PROPOSAL % prices))
    assert weight == 1
    assert settlement.details["step"] == "a"
    assert [share.payment for share in settlement.parties.values()] == [1, 0, 0]
    assert settlement.parties["a"].more["goods"] == ["g1"]


def test_the_proposers_own_price_may_leave_the_domain() -> None:
    settlements = settled(text(rest=PROPOSAL % "{a = -30, b = 15, c = 15}"))
    assert {settlement.details["step"] for settlement, _ in settlements} >= {"e", "g"}


def test_the_simple_mechanisms_refuse_what_has_no_step_a() -> None:
    written = text(rest=PROPOSAL % "{a = -8, b = 8, c = 0}").replace('delta = "1/2000"', "")
    written = written.replace("market.propose_and_agree", "market.naive_2")
    assert "a price is outside the domain" in refused(written, Naive2)


def test_prices_left_out_are_the_truthful_ones() -> None:
    mechanism, reports = read(text(rest='[proposal]\nallocation = {a = ["g1", "g2"]}'))
    market = mechanism.setup.build_market(reports)
    assert mechanism.announcement.to_outcome(market).prices == (1, -1, 0)


def test_the_proposers_price_left_out_is_what_balances() -> None:
    mechanism, reports = read(text(rest=PROPOSAL % "{b = -2, c = 1}"))
    assert mechanism.announcement.to_outcome(mechanism.setup.build_market(reports)).prices == (
        1,
        -2,
        1,
    )


def test_votes_may_differ_between_the_steps() -> None:
    _, reports = read(text(rest='[votes]\nb = {step_2 = "yes", step_3 = "no"}'))
    assert reports["b"].ballot == (True, False)
    assert reports["c"].ballot is None


def test_votes_may_lie_in_files_one_for_each_voter(tmp_path: Path) -> None:
    (tmp_path / "votes").mkdir()
    (tmp_path / "votes" / "b.txt").write_text("NO\n")
    (tmp_path / "votes" / "c.txt").write_text("yes no\n")
    _, reports = read(text(top='votes = "votes"'), folder=tmp_path)
    assert (reports["b"].ballot, reports["c"].ballot) == ((False, False), (True, False))


def test_a_vote_that_is_neither_yes_nor_no_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="the vote of b is maybe; write"):
        read(text(rest='[votes]\nb = "maybe"'))


def test_a_file_that_holds_no_vote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("perhaps")
    with pytest.raises(InputError, match="it says 'perhaps'"):
        read(text(top='votes = "."'), folder=tmp_path)


def test_an_epsilon_is_unknown_where_nobody_is_rewarded() -> None:
    written = text().replace("propose_and_agree", "naive_1").replace('delta = "1/2000"\n', "")
    with pytest.raises(ValidationError, match="epsilon"):
        Naive1.FILE.model_validate(tomllib.loads(written))
