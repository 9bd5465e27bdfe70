"""Votes of a market and bits of a curation over the hub, from members' own folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from houses import Clock

from aboveboard.commands import rounds
from aboveboard.commands.rounds.questions import answer_question, read_question
from aboveboard.hub.collaborations.opening import open_collaboration
from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.members import agree, find_mirror, join, list_standings, pull, push
from aboveboard.hub.members.places import Mirror
from aboveboard.hub.money.ledger import list_transfers
from aboveboard.hub.organizations import invite
from aboveboard.hub.serving import BackgroundServer
from databases import start_hub

GOODS = {
    "anna": 'endowment = ["orders"]\nvalues = [{goods = ["orders"], value = 1}, '
    '{goods = ["orders", "returns"], value = 3}]\n',
    "bert": 'endowment = ["returns"]\nbidding = "additive"\n'
    'values = [{goods = ["returns"], value = 1}]\n',
    "cleo": 'values = [{goods = ["orders"], value = 1}]\n',
}
MARKET = (
    'name = "licences"\nmechanism = "market.propose_and_agree"\nproposer = "anna"\nbits = 3\n'
    'currency = "EUR"\n[parties.anna]\n[parties.bert]\n[parties.cleo]\n'
)
CURATION = (
    'name = "bits"\nmechanism = "curation.fair"\n[function]\nkind = "threshold"\nk = 2\n'
    'center_weight = 1\nprior = 0.5\n[center]\ndata = "center.csv"\n'
    "[parties.anna]\n[parties.bert]\n[parties.cleo]\n"
)
BITS = {"anna": "price = 0.1\n", "bert": "price = 0.1\n", "cleo": "price = 0.2\n"}
YES = {"step_2": "yes", "step_3": "yes"}


class Village:
    """A hub that is served, and members who follow one round in folders of their own."""

    def __init__(self, hub: Hub, address: str, folder: Path, parts: Mapping[str, str]) -> None:
        self.hub, self.folder, self.names = hub, folder, list(parts)
        for name, part in parts.items():
            (folder / name).mkdir()
            (folder / name / "part.toml").write_text(part)
            join(invite(hub, name, address=address).link, folder / name)

    def open(self, text: str, **options: Any) -> str:
        file = self.folder / "collaboration.toml"
        file.write_text(text)
        identifier, _ = open_collaboration(self.hub, file, **options)
        for name in self.names:
            agree(identifier, self.folder / name)
        for name in self.names:
            member, mirror = self.follow(name)
            push(mirror, rounds.commit(member, self.folder / name / "part.toml"), member.keys)
        for name in self.names:
            member, mirror = self.follow(name)
            push(mirror, rounds.submit(member), member.keys)
        assert Worker(self.hub).work()
        return identifier

    def follow(self, name: str) -> tuple[rounds.Membership, Mirror]:
        member = rounds.find_membership(home=self.folder / name)
        mirror = find_mirror(member.folder)
        assert mirror is not None
        pull(mirror, member.keys)
        return member, mirror

    def view(self, name: str) -> dict[str, Any]:
        return list_standings(self.folder / name)[0].view

    def answer(self, **answers: Any) -> None:
        for name, value in answers.items():
            member, mirror = self.follow(name)
            push(mirror, answer_question(member, value), member.keys)

    def verify(self) -> None:
        for name in self.names:
            member, mirror = self.follow(name)
            bundle = rounds.fetch(member, self.folder / name / "result")
            found = rounds.verify(bundle, self.folder / name / "part.toml", member)
            assert found.exit_status == 0, str(found)
            push(mirror, rounds.accept_or_dispute(member), member.keys)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(tmp_path: Path) -> Any:
    limits = {"free_bytes": 0, "strangers_per_minute": 10_000}
    hub = start_hub(tmp_path / "hub", Configuration.model_validate({"limits": limits}))
    with BackgroundServer(hub) as server:
        yield hub, server.address
    hub.close()


@pytest.mark.deep
def test_a_market_votes_over_the_hub_and_its_payments_become_transfers(
    served: tuple[Hub, str], tmp_path: Path
) -> None:
    hub, address = served
    village = Village(hub, address, tmp_path, GOODS)
    identifier = village.open(MARKET, more={"asks": ["votes"]})
    assert village.view("bert")["next"] == "answer"
    assert village.view("anna")["next"] is None
    member, _ = village.follow("bert")
    from aboveboard.evidence.members import read_round

    question = read_question(read_round(member.folder).round)
    assert question is not None
    assert question["shows"]["goods"] == ["orders", "returns"]
    village.answer(bert=YES)
    assert not Worker(hub).work()  # nothing is opened before all are in
    assert village.view("cleo")["state"] == "asking"
    village.answer(cleo=YES)
    assert Worker(hub).work()
    village.verify()
    assert village.view("anna")["state"] == "settled"
    found = {each.name: each.cents for each in list_transfers(hub, identifier)}
    assert set(found) <= set(GOODS)
    assert sum(found.values()) == 0


@pytest.mark.slow  # in CI the desk's tests announce over the hub
def test_a_proposer_announces_over_the_hub(served: tuple[Hub, str], tmp_path: Path) -> None:
    hub, address = served
    village = Village(hub, address, tmp_path, GOODS)
    village.open(MARKET, more={"asks": ["proposal", "votes"]})
    assert village.view("anna")["next"] == "answer"
    allocation = {"anna": ["orders", "returns"], "bert": [], "cleo": []}
    village.answer(anna={"allocation": allocation, "prices": {"anna": -1, "bert": 1, "cleo": 0}})
    assert Worker(hub).work()
    village.answer(bert=YES, cleo=YES)
    assert Worker(hub).work()
    village.verify()


@pytest.mark.deep
def test_a_curation_sends_its_bits_in_rounds_over_the_hub(
    served: tuple[Hub, str], tmp_path: Path
) -> None:
    hub, address = served
    village = Village(hub, address, tmp_path, BITS)
    (tmp_path / "center.csv").write_text("bit\n1\n0\n1\n1\n")
    village.open(CURATION, more={"asks": ["bits", "bits"]})
    village.answer(anna=[0, 1], bert=[1, 1], cleo=[0, 0])
    assert Worker(hub).work()
    village.answer(anna=[1, 1], bert=[0, 1], cleo=[1, 0])
    assert Worker(hub).work()
    village.verify()


@pytest.mark.deep
def test_an_answer_that_cannot_be_understood_is_asked_for_again(
    served: tuple[Hub, str], tmp_path: Path
) -> None:
    from aboveboard.evidence.asking import Answer
    from aboveboard.evidence.folders import write_statement
    from aboveboard.evidence.member_statements import make_sealed_answer
    from aboveboard.evidence.members import read_round

    hub, address = served
    village = Village(hub, address, tmp_path, GOODS)
    village.open(MARKET, more={"asks": ["votes"]})
    member, mirror = village.follow("bert")
    seen = read_round(member.folder)
    statement = make_sealed_answer(seen.round, "bert", member.keys, Answer("maybe", bytes(32)))
    push(mirror, write_statement(member.folder, statement), member.keys)
    village.answer(cleo=YES)
    assert Worker(hub).work()
    assert village.view("bert")["next"] == "answer"
    assert village.view("cleo")["next"] is None
    village.answer(bert=YES)
    assert Worker(hub).work()
    assert village.view("cleo")["state"] == "result"


@pytest.mark.deep
def test_a_vote_that_comes_too_late_is_done_without(
    served: tuple[Hub, str], tmp_path: Path
) -> None:
    from dataclasses import replace

    hub, address = served
    village = Village(hub, address, tmp_path, GOODS)
    village.open(MARKET, missing="continue", more={"asks": ["votes"], "answer_hours": 1})
    assert village.view("bert")["deadline"]
    later = replace(hub, clock=lambda: hub.clock() + 3700)
    assert Worker(later).end_steps() == 1
    assert Worker(hub).work()
    assert village.view("cleo")["state"] == "result"
