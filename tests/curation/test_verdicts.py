"""Verdicts say no more than is known: listed commitments, promises, prices that nobody knows."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

import aboveboard as ab
from aboveboard.curation import SILENCE, TRUTH
from aboveboard.curation.commitments_game import CommitmentsGame
from aboveboard.errors import InputError, UndefinedProperty
from aboveboard.games.actions import AWAY
from aboveboard.mechanisms import compare_game_with_settle
from calling import aboveboard

F = Fraction
XOR_AND = "values = [0, 1, 0, 1, 0, 1, 1, 0]"  # b0 xor (b1 and b2)
MATTERS = f'kind = "table"\n{XOR_AND}'
HELPLESS = 'kind = "parity"'


def write(folder: Path, protocol: str, function: str, prices: list[str], more: str = "") -> Path:
    """Write a file without bits; a price may bring further keys with it."""
    parties = "".join(
        f"[parties.{name}]\nprice = {price}\n" for name, price in zip("abc", prices, strict=False)
    )
    path = folder / "c.toml"
    path.write_text(
        f'mechanism = "curation.{protocol}"\nseed = 5\n[function]\n{function}\n{more}\n{parties}'
    )
    return path


# -------------------------------------------------------------------- listed commitments


@pytest.mark.parametrize("more", ["", "[design]\ncommitments = [[0.5005, 0.4995]]"])
def test_a_coalition_that_whispers_is_found_with_the_default_list_and_a_finer_one(
    tmp_path: Path, more: str
) -> None:
    path = write(tmp_path, "fair", MATTERS, ['"201/533"'] * 2, more)
    verdicts = ab.audit(path, [ab.CoalitionProof(2, transfers=True), ab.Efficient()])
    coalition, efficient = verdicts.values()
    assert coalition.status == efficient.status == "fails"
    assert coalition.gain == F(2049, 533000)


def test_dsic_fails_by_a_whisper_also_where_the_file_lists_none(tmp_path: Path) -> None:
    more = "[design]\ncommitments = [[0, 1]]"
    path = write(tmp_path, "fair", 'kind = "threshold"\nk = 2', ["0.1"] * 3, more)
    verdict = ab.audit(path, [ab.DSIC()])["DSIC"]
    assert verdict.status == "fails"
    assert verdict.gain >= F(49, 500)


def test_what_only_a_scan_of_listed_commitments_supports_is_never_said_to_hold(
    tmp_path: Path,
) -> None:
    for protocol, function in product(("fair", "competitive", "always_all"), (MATTERS, HELPLESS)):
        path = write(tmp_path, protocol, function, ["0.1", "0.1"])
        claims = [ab.Efficient(), ab.ParetoEfficient(), ab.CoalitionProof(2), ab.DSIC()]
        for verdict in ab.audit(path, claims).values():
            assert verdict.status in ("fails", "no counterexample")


def test_closed_forms_that_cover_all_commitments_hold(tmp_path: Path) -> None:
    verdicts = ab.audit(write(tmp_path, "fair", MATTERS, ["0.1", "0.1"]))
    for name in ("ex-post IC", "IR", "unique equilibrium"):
        assert (verdicts[name].status, verdicts[name].how) == ("holds", "closed form")


# ------------------------------------------------------------------------------- promises


def names(path: Path) -> list[str]:
    """Return what the file's rule promises."""
    loaded = ab.load(path)
    return [promise.name for promise in loaded.mechanism.promises(loaded.reports)]


TRUTHFUL = ["ex-post IC", "IR"]


@pytest.mark.parametrize("protocol", ["competitive", "fair", "indicator"])
@pytest.mark.parametrize(
    ("function", "prices", "promised"),
    [
        (MATTERS, ["0.1", "0.1"], [*TRUTHFUL, "unique equilibrium"]),
        (MATTERS, ["0.1", "0.9"], []),
        (HELPLESS, ["0.1", "0.1"], TRUTHFUL),
        (HELPLESS, ["0.9", "0.1"], []),
        (HELPLESS, ["0.5", "0.5"], TRUTHFUL),
        (MATTERS, ['0.1\nshape = "indicator"', "0.1"], TRUTHFUL),
    ],
)
def test_the_truth_is_promised_only_if_nobody_is_fanatic_and_the_center_matters(
    tmp_path: Path, protocol: str, function: str, prices: list[str], promised: list[str]
) -> None:
    answered = ["truth is answered"] if protocol == "fair" else []
    assert names(write(tmp_path, protocol, function, prices)) == promised + answered


def test_comparison_protocols_promise_less(tmp_path: Path) -> None:
    assert names(write(tmp_path, "straightforward", HELPLESS, ["0.1", "0.1"])) == [
        *TRUTHFUL,
        "truth is answered",
    ]
    assert names(write(tmp_path, "always_all", MATTERS, ["0.1", "0.1"])) == ["truth is answered"]
    assert names(write(tmp_path, "always_noise", MATTERS, ["0.1", "0.1"])) == []


@pytest.mark.deep
@pytest.mark.parametrize(
    "protocol",
    ["competitive", "fair", "indicator", "straightforward", "always_all", "always_noise"],
)
def test_what_is_promised_holds(tmp_path: Path, protocol: str) -> None:
    for function in (MATTERS, HELPLESS):
        for prices in product(("0.1", "0.25", "0.9"), repeat=2):
            verdicts = ab.audit(write(tmp_path, protocol, function, list(prices)))
            assert all(v.status == "holds" for v in verdicts.promised.values())


def test_the_exit_status_is_that_of_the_promises(tmp_path: Path) -> None:
    ran = aboveboard("audit", write(tmp_path, "fair", MATTERS, ["0.1", "0.1"]), "--format", "json")
    said = json.loads(ran.stdout)
    assert (ran.returncode, said["promises_stand"]) == (0, True)
    by_name = {each["property"]: each for each in said["verdicts"]}
    assert by_name["DSIC"]["status"] == "fails"
    assert not by_name["DSIC"]["promised"]
    assert by_name["unique equilibrium"]["promised"]


# ----------------------------------------------------------------- prices that nobody knows


def without_prices(folder: Path, protocol: str) -> Path:
    path = folder / "c.toml"
    parties = "".join(f"[parties.{x}]\nbits = [0, 1, 1]\n" for x in "abc")
    path.write_text(
        f'mechanism = "curation.{protocol}"\nseed = 5\n[function]\nkind = "threshold"\nk = 2\n'
        f"[center]\nbits = [1, 0, 1]\n{parties}"
    )
    return path


@pytest.mark.parametrize("protocol", ["indicator", "straightforward", "always_all", "always_noise"])
def test_a_run_needs_no_prices_where_the_rule_does_not(tmp_path: Path, protocol: str) -> None:
    settlement = ab.run(without_prices(tmp_path, protocol))
    assert {share.utility for share in settlement.parties.values()} == {None}
    assert all(0 < share.benefit <= 1 for share in settlement.parties.values())
    (note,) = settlement.details["notes"]
    assert "utilities are unknown" in note


@pytest.mark.parametrize("protocol", ["fair", "competitive"])
def test_rules_that_score_by_price_need_prices(tmp_path: Path, protocol: str) -> None:
    with pytest.raises(InputError, match=r"parties\.a\.price"):
        ab.load(without_prices(tmp_path, protocol))


@pytest.mark.deep
def test_without_prices_an_audit_says_what_is_missing(tmp_path: Path) -> None:
    path = without_prices(tmp_path, "indicator")
    with pytest.raises(UndefinedProperty, match="price of a, b and c"):
        ab.audit(path)
    for command in ("audit", "design"):
        ran = aboveboard(command, path)
        assert ran.returncode == 2
        assert "price" in ran.stderr
    out = tmp_path / "out"
    assert aboveboard("run", path, "--out", out).returncode == 0
    assert json.loads((out / "settlement.json").read_text())["parties"]["a"]["utility"] is None


# -------------------------------------------------------------- the game is the rule that runs


@pytest.mark.parametrize(
    "protocol",
    ["competitive", "fair", "indicator", "straightforward", "always_all", "always_noise"],
)
def test_the_game_agrees_with_settle_in_joint_deviations_and_absence(
    tmp_path: Path, protocol: str
) -> None:
    loaded = ab.load(write(tmp_path, protocol, 'kind = "threshold"\nk = 2', ["0.1", "0.2", "0.3"]))
    compared = compare_game_with_settle(loaded.mechanism, loaded.reports, seed=3)
    assert compared.deviations > 10
    assert not compared.unknown


def test_a_game_of_another_rule_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = ab.load(write(tmp_path, "fair", MATTERS, ["0.1", "0.1"]))
    real = CommitmentsGame.payoffs
    monkeypatch.setattr(
        CommitmentsGame, "payoffs", lambda self, profile: [x + 1 for x in real(self, profile)]
    )
    with pytest.raises(InputError, match="not the rule"):
        ab.audit(loaded)


def test_to_stay_away_is_less_than_silence_where_the_silent_are_answered(tmp_path: Path) -> None:
    loaded = ab.load(write(tmp_path, "always_all", HELPLESS, ["0.1", "0.1"]))
    game = loaded.mechanism.game(loaded.reports)
    assert game.payoffs((SILENCE, TRUTH))[0] == 1
    assert game.payoffs((AWAY, TRUTH))[0] == F(1, 2)
    assert ab.audit(loaded, [ab.IndividualRationality()])["IR"].status == "holds"


def test_to_choose_a_commitment_is_not_called_a_lie(tmp_path: Path) -> None:
    loaded = ab.load(write(tmp_path, "fair", MATTERS, ["0.1", "0.1"]))
    game = loaded.mechanism.game(loaded.reports)
    assert {game.deviation_kind(0, action) for action in game.listed} == {"chooses"}


# ------------------------------------------------------------- the fair rule without prices


def test_the_fair_rule_with_the_indicator_score_runs_without_prices(tmp_path: Path) -> None:
    path = without_prices(tmp_path, "fair")
    path.write_text(path.read_text().replace("seed = 5", 'seed = 5\nscore = "indicator"'))
    settlement = ab.run(path)
    assert settlement.details["answered"] == ["a", "b", "c"]
    assert {share.utility for share in settlement.parties.values()} == {None}


def test_with_the_indicator_score_the_fair_rule_promises_the_same(tmp_path: Path) -> None:
    for function, prices in ((MATTERS, ["0.1", "0.1"]), (HELPLESS, ["0.1", "0.1"])):
        plainly = write(tmp_path, "fair", function, prices)
        promised = names(plainly)
        plainly.write_text(plainly.read_text().replace("seed = 5", 'seed = 5\nscore = "indicator"'))
        assert names(plainly) == promised
        assert all(v.status == "holds" for v in ab.audit(plainly).promised.values())


def test_a_whisper_bids_as_much_as_half_the_truth_under_the_indicator_score(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "fair", MATTERS, ["0.1", "0.1"])
    path.write_text(path.read_text().replace("seed = 5", 'seed = 5\nscore = "indicator"'))
    loaded = ab.load(path)
    game = loaded.mechanism.game(loaded.reports)
    whisper = game.listed[2]
    rule = game.curation.protocol
    assert rule.answer(game.curation.society.agents, (whisper, SILENCE)) == (True, False)
    assert rule.answer(game.curation.society.agents, (whisper, game.listed[3])) == (False, False)
