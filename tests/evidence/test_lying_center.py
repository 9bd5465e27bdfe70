"""A center that lies in every number that it publishes, one at a time, for every mechanism.

Nothing false may be verified: each lie is contradicted, or what it is about stands in the list of
what is taken on the center's word. `EXCUSES` says which lies those are, and by which sentence the
member is told; the verifiers know nothing of this list. A second adversary lies consistently: it
runs the whole round on other data than a member sent.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rounds_of_files import STARTING, RoundOfFiles, hold_round
from runs_by_hand import RunOfOneOperator, run_starting_file

from aboveboard.commands import rounds
from aboveboard.evidence.bundles import decode_bundle

MECHANISMS = tuple(sorted(path.stem for path in STARTING.glob("*.toml")))
QUICK = ("exchange.interval", "exchange.union", "valuation.payments")

DEEP = (
    *("exchange.average", "exchange.interval", "exchange.union", "valuation.payments"),
    *("learning.payments", "market.propose_and_agree", "market.vcg", "curation.fair"),
    *("market.naive_1", "market.naive_2"),
)
"""Each verifier once; the rest is left to the full profile."""

VERIFIERS = [
    pytest.param(name, marks=pytest.mark.deep if name in DEEP else pytest.mark.slow)
    for name in MECHANISMS
]

SENT = "commitments are of what they sent, and were used"
COMMITTED = "the data of the others are what they committed to"
REPLIES = "what the replies of the others hold"
UNCOMMITTED = "nothing of them is committed"
EXCUSES: tuple[tuple[str, str, str], ...] = (
    (r".*", r"facts/commitments/other/.*", SENT),
    (r"run of .*", r"facts(/commitments(/(own|other))?)?", UNCOMMITTED),
    (r".*", r"replies/other", REPLIES),
    (r"run of .*", r"seed", "the seed: one operator ran this alone"),
    (r".*exchange\.(interval|average)", r"shares/other/hidden", "what the others gain"),
    (r".*market\.vcg", r"shares/own/payment", "and the price: they follow from the bids of all"),
    (r".*market\..*", r"shares/other/hidden", "what the others gain"),
    (r".*market\..*", r"facts/(votes|announcements)/.*", "the votes are the voters'"),
    (r"run of market\..*", r"facts/(endowment|goods)(/.*)?", SENT),
    (r"round of market\..*", r"facts/(endowment|goods)(/.*)?", COMMITTED),
    (r"run of curation\..*", r"facts/agents/other/.*", SENT),
    (r"round of curation\..*", r"facts/agents/other/.*", COMMITTED),
    (r"run of valuation\..*", r"facts/users/other/.*", SENT),
    (r"round of valuation\..*", r"facts/users/other/.*", COMMITTED),
)
"""Which lies stay on the center's word: game, place of the number, and what the member is told."""

Place = tuple[str | int, ...]
Held = RunOfOneOperator | RoundOfFiles


def list_numbers(data: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every number, text and truth value with its place."""
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from list_numbers(value, (*at, key))
    else:
        yield at, data


def list_parts(data: Any, at: Place = ()) -> Iterator[Place]:
    """Yield the place of every list and table, but of the whole."""
    if isinstance(data, dict | list):
        if at:
            yield at
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from list_parts(value, (*at, key))


def find(data: Any, place: Place) -> Any:
    for key in place:
        data = data[key]
    return data


def make_lies(value: Any) -> list[Any]:
    """Return other values of the same kind."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value - 1, value * 2 + 0.5]
    if value is None:
        return [3]
    if re.fullmatch(r"[0-9a-f]{32,}", value):
        return [("1" if value[0] == "0" else "0") + value[1:]]
    if re.fullmatch(r"-?\d+(/\d+)?", value):
        return ["7/5" if value != "7/5" else "8/5"]
    return [f"{value}x"]


def name_place(body: Any, place: Place, victim: str) -> str:
    """Return a place as text, "own" and "other" for the victim and the others."""
    words, data, known = [], body, set(body["shares"])
    for key in place:
        if key in known:
            word = "own" if key == victim else "other"
        elif isinstance(data, list) and isinstance(key, int) and is_pair(data[key]):
            word = "own" if data[key][0] == victim else "other"
        else:
            word = str(key)
        words.append(word)
        data = data[key]
    return "/".join(words)


def is_pair(data: Any) -> bool:
    return isinstance(data, list) and len(data) == 2 and isinstance(data[0], str)


def set_value(place: Place, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        find(body, place[:-1])[place[-1]] = value

    return change


def open_body(held: Held, victim: str) -> dict[str, Any]:
    """Return the result's body as the victim sees it, its own share opened."""
    folder = held.home(victim) if isinstance(held, RunOfOneOperator) else held.result(victim)
    bundle = decode_bundle((folder / "bundle.json").read_bytes(), "bundle")
    body: dict[str, Any] = json.loads(bundle.entries[-1])["body"]
    if "share" in bundle.evidence:
        body["shares"][victim] = dict(bundle.evidence["share"])
    return body


def is_excused(game: str, place: str, trusted: Sequence[str]) -> bool:
    said = "\n".join(trusted)
    return any(
        re.fullmatch(where, game) and re.fullmatch(pattern, place) and sentence in said
        for where, pattern, sentence in EXCUSES
    )


def list_believed(
    held: Held, game: str, victim: str, folder: Path, few: Sequence[Place] | None = None
) -> list[str]:
    """Return the lies that a member believes without having been warned."""
    body, believed = open_body(held, victim), []
    for place, value in list_numbers(body):
        if place[0] in ("kind", "terms") or (few is not None and place not in few):
            continue
        named = name_place(body, place, victim)
        for lie in make_lies(value):
            found = held.state(victim, set_value(place, lie), folder)
            assert found.exit_status != 2
            if not found.contradicted and not is_excused(game, named, found.on_the_centers_word):
                believed.append(f"{named}: {value} as {lie}")
    return believed


def change_shape(data: Any) -> list[Any]:
    """Return a list or table with an entry less, twice, or in another order.

    A list of names with numbers means the same in every order, and null what is left out.
    """
    if isinstance(data, dict):
        stated = [key for key, value in data.items() if value is not None]
        return [{k: x for k, x in data.items() if k != key} for key in stated]
    if len(data) < 2:
        return [[], [*data, *data]] if data else []
    turned = data[1:] != data[:-1] and not all(map(is_pair, data))
    swapped = [[*data[1:], data[0]]] if turned else []
    return [data[:-1], data[1:], [*data, data[0]], *swapped]


def list_believed_shapes(held: Held, game: str, victim: str, folder: Path) -> list[str]:
    """Return the changed lists and tables that a member believes without having been warned."""
    body, believed = open_body(held, victim), []
    for place in list_parts(body):
        named = name_place(body, place, victim)
        for lie in change_shape(find(body, place)):
            found = held.state(victim, set_value(place, copy.deepcopy(lie)), folder)
            trusted = found.on_the_centers_word
            if not found.contradicted and not any(
                is_excused(game, f"{named}{end}", trusted) for end in ("", "/x", "/other/hidden")
            ):
                believed.append(f"{named}: {lie}")
    return believed


Find = Callable[[str], Held]


@pytest.fixture(scope="module")
def find_run(tmp_path_factory: pytest.TempPathFactory) -> Find:
    made: dict[str, Held] = {}

    def run(mechanism: str) -> Held:
        if mechanism not in made:
            made[mechanism] = run_starting_file(mechanism, tmp_path_factory.mktemp("run"))
        return made[mechanism]

    return run


BITS = {
    "table": {"center": {"data": "c.txt"}},
    "files": {"c.txt": "1\n0\n1\n1\n0\n0\n1\n0\n1\n1\n"},
}


@pytest.fixture(scope="module")
def find_round(tmp_path_factory: pytest.TempPathFactory) -> Find:
    made: dict[str, Held] = {}

    def hold(mechanism: str) -> Held:
        if mechanism not in made:
            more: Any = BITS if mechanism.startswith("curation.") else {}
            sums = "committed" if mechanism == "exchange.average" else "center"
            made[mechanism] = hold_round(
                mechanism, tmp_path_factory.mktemp("round"), opened="nothing", sums=sums, **more
            )
        return made[mechanism]

    return hold


@pytest.mark.parametrize("mechanism", QUICK)
def test_no_public_fact_of_a_run_is_believed_that_is_a_lie(
    mechanism: str, find_run: Find, tmp_path: Path
) -> None:
    run = find_run(mechanism)
    facts = {place for place, _ in list_numbers(open_body(run, run.names[0])["facts"], ("facts",))}
    few = sorted(facts, key=str)[:: 1 + len(facts) // 15]
    assert list_believed(run, f"run of {mechanism}", run.names[0], tmp_path, few) == []


@pytest.mark.parametrize("mechanism", VERIFIERS)
def test_no_number_of_a_run_is_believed_that_is_a_lie(
    mechanism: str, find_run: Find, tmp_path: Path
) -> None:
    run = find_run(mechanism)
    game = f"run of {mechanism}"
    assert list_believed(run, game, run.names[0], tmp_path) == []


@pytest.mark.parametrize("mechanism", VERIFIERS)
def test_no_number_of_a_round_is_believed_that_is_a_lie(
    mechanism: str, find_round: Find, tmp_path: Path
) -> None:
    held = find_round(mechanism)
    game = f"round of {mechanism}"
    assert list_believed(held, game, held.names[0], tmp_path) == []


@pytest.mark.parametrize("mechanism", VERIFIERS)
def test_no_list_is_believed_that_was_cut_or_turned(
    mechanism: str, find_run: Find, tmp_path: Path
) -> None:
    run = find_run(mechanism)
    game = f"run of {mechanism}"
    assert list_believed_shapes(run, game, run.names[-1], tmp_path) == []


OTHER_DATA: dict[str, tuple[str, dict[str, Any]]] = {
    "exchange.interval": ("beta", {"interval": [4.5, 16]}),
    "exchange.contribution": ("b", {"exclusivity": 0.5}),
    "exchange.average": ("beta", {"point": [3.5, 1]}),
    "exchange.union": ("beta", {"elements": ["x1", "x2", "x3"]}),
    "valuation.payments": ("bert", {"level": 2}),
    "learning.payments": ("bert", {"size": 1}),
    "learning.desirable": ("bert", {"size": 3}),
    "market.vcg": ("bert", {"values": []}),
    "market.naive_2": ("bert", {"values": []}),
    "market.propose_and_agree": ("bert", {"values": []}),
    "curation.fair": ("cleo", {"price": 0.3, "bits": [1, 0, 1, 1, 0, 1, 1, 0, 0, 1]}),
    "curation.competitive": ("bert", {"commitment": [0.5, 0.5]}),
}
"""By mechanism: whose data the center exchanges, and for what, before it runs the rule honestly."""


@pytest.mark.deep
@pytest.mark.parametrize("mechanism", OTHER_DATA)
def test_a_round_that_was_run_on_other_data_is_not_believed_without_a_warning(
    mechanism: str, find_round: Find, tmp_path: Path
) -> None:
    held = find_round(mechanism)
    assert isinstance(held, RoundOfFiles)
    other, change = OTHER_DATA[mechanism]
    victim = next(name for name in held.names if name != other)
    parts = {name: held.part(name) for name in held.names}
    parts[other] = replace(parts[other], table={**parts[other].table, **change})
    found = held.use_other_parts(victim, parts, tmp_path)
    assert found.contradicted or any(COMMITTED in each for each in found.on_the_centers_word)
    if mechanism in ("exchange.average", "exchange.union"):  # all of it follows from commitments
        assert found.contradicted, str(found)


WARNED = {"market.vcg": "they follow from the bids of all, yours too"}
"""Where a member cannot tell that its own data were used, and by which sentence it is told."""

WITH_EFFECT = [name for name in OTHER_DATA if name != "exchange.contribution"]
"""What a party of a contribution states changes what it is worth to it, and no result."""


@pytest.mark.deep
@pytest.mark.parametrize("mechanism", WITH_EFFECT)
def test_a_round_that_was_run_on_other_data_of_ones_own_is_contradicted(
    mechanism: str, find_round: Find, tmp_path: Path
) -> None:
    held = find_round(mechanism)
    assert isinstance(held, RoundOfFiles)
    victim, change = OTHER_DATA[mechanism]
    parts = {name: held.part(name) for name in held.names}
    honest = held.use_other_parts(victim, parts, tmp_path)
    assert honest.exit_status == 0, str(honest)
    parts[victim] = replace(parts[victim], table={**parts[victim].table, **change})
    found = held.use_other_parts(victim, parts, tmp_path)
    told = "; ".join(found.on_the_centers_word)
    assert found.contradicted or WARNED.get(mechanism, "nothing") in told, str(found)


def test_no_number_of_a_partys_own_evidence_may_be_another_one(
    find_run: Find, tmp_path: Path
) -> None:
    run = find_run("exchange.union")
    assert isinstance(run, RunOfOneOperator)
    name = run.names[0]
    bundle = run.bundle(name)
    run.state(name, lambda body: None, tmp_path)
    honest = decode_bundle((tmp_path / "bundle.json").read_bytes(), "bundle")
    assert run.verify(name).exit_status == 0
    for place, value in list_numbers(bundle.evidence):
        for lie in make_lies(value):
            evidence = json.loads(json.dumps(dict(bundle.evidence)))
            set_value(place, lie)(evidence)
            changed = replace(honest, evidence=evidence)
            (tmp_path / "bundle.json").write_bytes(changed.encode())
            found = rounds.verify(tmp_path, run.mine(name))
            assert found.contradicted, (place, value, lie)
