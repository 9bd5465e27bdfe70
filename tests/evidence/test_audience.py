"""Who sees what: bundles show what their party's verification needs, and what the terms say."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rounds_by_hand import make_terms
from rounds_of_files import STARTING, RoundOfFiles, hold_round
from runs_by_hand import run_starting_file
from test_round_by_files import FILE, LISTS, Organisations

from aboveboard.collaborations.registry import find_mechanism
from aboveboard.commands import rounds
from aboveboard.commands.checking import CheckReport
from aboveboard.commands.rounds.own_check import OwnPart
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.disclosures import list_facts
from aboveboard.evidence.hidden_shares import hide_share
from aboveboard.evidence.public_parameters import PRESENT, PUBLIC
from aboveboard.evidence.terms import parse_terms
from aboveboard.evidence.verifiers.learning import refuse_other_order
from aboveboard.report.rounds import describe_terms

MECHANISMS = tuple(sorted(path.stem for path in STARTING.glob("*.toml")))
SECRET = {"parties", "seed", "center", "design", "bids", "endowments", "data", "training"}
"""Keys that no run tells anybody, whatever the mechanism."""


def read_body(folder: Path) -> dict[str, Any]:
    content = (folder / "bundle.json").read_bytes()
    body: dict[str, Any] = json.loads(decode_bundle(content, "bundle").entries[-1])["body"]
    return body


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> RoundOfFiles:
    return hold_round("market.vcg", tmp_path_factory.mktemp("vcg"), opened="nothing")


def test_what_a_bidder_gains_and_pays_only_it_sees(held: RoundOfFiles) -> None:
    for name in held.names:
        shares = read_body(held.result(name))["shares"]
        assert all(set(share) == {"hidden"} for share in shares.values())
        found = held.verify(name)
        assert found.exit_status == 0, str(found)
        assert "your share is the one whose hash stands in the signed result" in found.verified


def test_a_share_that_was_told_otherwise_is_found(held: RoundOfFiles, tmp_path: Path) -> None:
    found = held.state("anna", lambda body: None, tmp_path)
    assert found.exit_status == 0
    bundle = decode_bundle((tmp_path / "bundle.json").read_bytes(), "bundle")
    told = json.loads(bundle.encode())
    told["evidence"]["share"]["payment"] = 0
    (tmp_path / "bundle.json").write_text(json.dumps(told))
    found = rounds.verify(tmp_path, held.mine("anna"), held.member("anna"))
    assert "not the one whose hash stands in the signed result" in str(found)


def test_the_auditor_computes_hidden_shares_too(held: RoundOfFiles, tmp_path: Path) -> None:
    for name in held.names:
        rounds.open_part(held.member(name), tmp_path / f"{name}.bin")
    found = rounds.audit_round(held.folder, tmp_path)
    assert found.exit_status == 0, str(found)


def test_nobody_finds_a_hidden_share_by_trying_numbers() -> None:
    share = {"benefit": 3, "payment": 1}
    first = hide_share("anna", share, bytes(32), frozenset())
    assert first != hide_share("anna", share, b"\1" * 32, frozenset())
    assert first != hide_share("bert", share, bytes(32), frozenset())


def settle_union(tmp: Path, sees: dict[str, str]) -> Organisations:
    made = Organisations(tmp)
    place = made.tmp / "center"
    rounds.open_collaboration(place / "lists.toml", place / "members", made.folder, sees=sees)
    made.agree()
    made.commit()
    made.submit()
    rounds.settle_round(made.folder)
    for name in LISTS:
        made.fetch(name)
    return made


@pytest.mark.deep
@pytest.mark.parametrize("sees", [{"shares": "party"}, {"regions": "center"},
                                  {"shares": "party", "regions": "center"}])  # fmt: skip
def test_the_terms_may_keep_shares_and_overlaps_from_the_others(
    sees: dict[str, str], tmp_path: Path
) -> None:
    made = settle_union(tmp_path, sees)
    for name in LISTS:
        body = read_body(made.home(name) / "result")
        assert ("regions" in body["facts"]) == ("regions" not in sees)
        assert ("benefit" in body["shares"]["acme"]) == ("shares" not in sees)
        found = made.verify(name)
        assert found.exit_status == 0, str(found)
        said = "\n".join(found.on_the_centers_word)
        assert ("all gains: by the terms nobody sees the regions" in said) == ("regions" in sees)


def test_the_terms_may_show_all_shares(tmp_path: Path) -> None:
    body = {**make_terms(mechanism="market.vcg").body, "sees": {"shares": "all"}}
    assert parse_terms(body, "terms").sees.shares == "all"


@pytest.mark.parametrize("sees", [{}, {"shares": "party"}])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_terms_do_not_call_a_payment_hidden_that_the_play_tells(
    mechanism: str, sees: dict[str, str]
) -> None:
    terms = parse_terms({**make_terms(mechanism=mechanism).body, "sees": sees}, "terms")
    rows = dict(row for section in describe_terms(terms, "ab" * 32, now=0) for row in section.rows)
    told = " ".join(list_facts(mechanism))
    said = rows["What each gains and pays"]
    assert ("how the play ended" in told) == (
        said.startswith("all see each payment") or "follows from how the play ended" in said
    )


@pytest.mark.parametrize(
    "change",
    [{"sees": {"replies": "all"}}, {"sees": {"shares": "center"}}, {"sees": {"regions": "party"}},
     {"sees": {"regions": "center"}, "mechanism": "market.vcg"},
     {"sees": {"regions": "center"}, "counts": "members"}],
)  # fmt: skip
def test_an_audience_that_there_is_not_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        parse_terms({**make_terms().body, **change}, "terms")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_run_tells_no_key_that_is_not_listed(mechanism: str) -> None:
    known = set(find_mechanism(mechanism, "test").FILE.model_fields)
    public = set(PUBLIC.get(mechanism, ()))
    assert public <= known
    assert set(PRESENT.get(mechanism, ())) <= known
    assert not public & SECRET


@pytest.mark.deep
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_bundle_of_a_run_holds_only_listed_parameters(mechanism: str, tmp_path: Path) -> None:
    run = run_starting_file(mechanism, tmp_path)
    told = json.loads(run.bundle(run.names[0]).entries[0])["body"]["parameters"]
    assert set(told) <= {*PUBLIC.get(mechanism, ()), *PRESENT.get(mechanism, ())}
    for key in PRESENT.get(mechanism, ()):
        assert told.get(key, True) is True


def test_the_rule_of_an_exchange_stands_in_the_terms(tmp_path: Path) -> None:
    made = Organisations(tmp_path)
    file = made.tmp / "center" / "lists.toml"
    file.write_text(FILE.replace('rule = "equal-gain"', "exclusivity = 1"))
    made.open()
    terms = json.loads((made.folder / "terms.json").read_bytes())["body"]
    assert terms["parameters"]["rule"] == "best-group"


@pytest.mark.deep
def test_members_stand_in_the_terms_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A table of coalitions, or of what models are worth, means its parties by their order."""
    table = {
        "values": [0, 3, 2, 4, 1, 4, 3, 5],
        "parties": {"c": {}, "a": {}, "b": {}},
    }
    held = hold_round("exchange.contribution", tmp_path, opened="nothing", table=table)
    shares = read_body(held.result("a"))["shares"]
    assert {name: share["benefit"] for name, share in shares.items()} == {"c": 2, "a": 1, "b": 1}
    assert held.verify("a").exit_status == 0


def test_what_leaves_is_told_with_what_all_members_are_told(tmp_path: Path) -> None:
    def describe(mechanism: str, **keys: Any) -> dict[str, str]:
        report = CheckReport(tmp_path, mechanism)
        return dict(OwnPart(report, {}, keys).list_what_leaves())

    market = describe("market.naive_2", values=[{"goods": ["x"], "value": 1}])
    assert "all of this, encrypted" in market["To the center"]
    assert market["To the other members"].endswith("all votes, and how the play ended")
    levels = describe("valuation.payments")
    assert levels["To the center"].startswith("nothing but random numbers")


@pytest.mark.parametrize(
    ("order", "stands"),
    [(["b", "a"], True), (["a", "b"], False), (["b", "c", "a"], False), (["b"], False)],
)
def test_a_market_of_models_is_that_of_those_who_are_left(order: list[str], stands: bool) -> None:
    terms = SimpleNamespace(members={"a": 1, "b": 1, "c": 1}, ordered=("b", "c", "a"))
    case: Any = SimpleNamespace(round=SimpleNamespace(terms=terms, present=("a", "b")))
    with nullcontext() if stands else pytest.raises(ValueError, match="order of the terms"):
        refuse_other_order(case, order)
