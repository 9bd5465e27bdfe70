"""Evidence of an exchange: an honest center convinces, and each way to cheat is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aboveboard.errors import InputError
from aboveboard.evidence.commitments import CommittedList, commit_elements
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.replies import read_elements
from aboveboard.evidence.union_evidence import (
    UnionRecord,
    count_regions,
    make_evidence,
    rank_elements,
)
from aboveboard.evidence.verifiers.union import REGION_COUNTS, verify_union
from aboveboard.evidence.verifiers.union_claim import UnionClaim
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.rules import RULES

SEED = 2**200 + 7
Lists = Mapping[str, frozenset[bytes]]


def numbered(*numbers: int) -> frozenset[bytes]:
    return frozenset(b"e%d" % k for k in numbers)


LISTS: Lists = {
    "acme": numbered(*range(12)),
    "bolt": numbered(*range(8, 20)),
    "core": numbered(0, 9, 30, 31, 32, 33),
}


def commit(lists: Lists) -> dict[str, CommittedList]:
    return {name: commit_elements(owned, name.encode().ljust(32)) for name, owned in lists.items()}


def hand_out(lists: Lists, rule: str, seed: int = SEED) -> dict[str, list[bytes]]:
    """Hand out by plain loops: the first elements, by rank, that a party lacks."""
    regions = Regions.from_sets({n: lists[n] for n in sorted(lists)})
    due, first = RULES[rule].compute_amounts(regions), RULES[rule].name_first(regions)
    union = sorted(set().union(*lists.values()))
    ranks = dict(zip(union, rank_elements(union, seed), strict=True))
    leading = set().union(*(lists[name] for name in first))
    # A place of a seeded order loses its last bit where some elements go before others.
    ordered = sorted(union, key=lambda e: (e not in leading, ranks[e] >> bool(first), e))
    return {
        name: [e for e in ordered if e not in lists[name]][: int(amount)]
        for name, amount in zip(sorted(lists), due, strict=True)
    }


def record(lists: Lists, rule: str = "equal-gain", **changes: Any) -> UnionRecord:
    handed = hand_out(lists, rule)
    amounts = {name: len(each) for name, each in handed.items()}
    made = UnionRecord(rule, tuple(sorted(lists)), commit(lists), amounts, handed, SEED, b"o" * 32)
    regions = Regions.from_sets({n: lists[n] for n in sorted(lists)})
    return replace(made, **{"first": RULES[rule].name_first(regions), **changes})


def claim(name: str, lists: Lists, by: UnionRecord, **changes: Any) -> UnionClaim:
    evidence = make_evidence(by)
    made = UnionClaim(
        name,
        evidence.facts,
        evidence.private[name],
        {n: (c.root, c.size) for n, c in commit(lists).items()},
        by.amounts,
        lists[name],
        tuple(by.handed[name]),
        SEED,
    )
    return replace(made, **changes)


def find(made: UnionClaim) -> Findings:
    findings = Findings()
    verify_union(made, findings)
    return findings


@pytest.mark.parametrize("rule", ["equal-gain", "best-group"])
@pytest.mark.parametrize("name", list(LISTS))
def test_an_honest_center_convinces(name: str, rule: str) -> None:
    found = find(claim(name, LISTS, record(LISTS, rule)))
    assert not found.contradicted
    assert len(found.verified) == 7
    assert found.on_the_centers_word == [REGION_COUNTS]


@pytest.mark.parametrize("cells", [[["x"]], [b"\xff"]], ids=["lists", "bytes"])
def test_a_table_whose_cells_are_no_texts_is_no_reply(cells: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "reply.parquet"
    pl.DataFrame({"a": cells}).write_parquet(path)
    with pytest.raises(InputError, match="the reply cannot be read"):
        read_elements(path, path.name, ["x"])


@pytest.mark.parametrize(
    ("name", "content", "is_wide"),
    [
        ("reply.txt", "a.example\nb.example\n", False),
        ("reply.csv", "domain\na.example\nb.example\n", False),
        ("reply.csv", "seen,domain\n2026,a.example\n2027,b.example\n", True),
    ],
)
def test_other_columns_are_told_where_a_reply_has_them(
    name: str, content: str, is_wide: bool, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    found = read_elements(tmp_path / name, name, ["a.example", "b.example"])
    assert found == ([b"a.example", b"b.example"], is_wide)


families = st.lists(st.frozensets(st.integers(0, 9), max_size=7), min_size=2, max_size=4)


@given(families, st.sampled_from(["equal-gain", "best-group", "best-group-inside"]))
def test_an_honest_center_convinces_whatever_the_lists(
    sets: list[frozenset[int]], rule: str
) -> None:
    lists = {f"p{k}": numbered(*owned) for k, owned in enumerate(sets)}
    made = record(lists, rule)
    for name in lists:
        assert not find(claim(name, lists, made)).contradicted


def test_regions_are_counted_as_the_product_counts_them() -> None:
    counted = count_regions(sorted(LISTS), commit(LISTS))
    regions = Regions.from_sets({n: LISTS[n] for n in sorted(LISTS)})
    assert counted == dict(zip(regions.owners.tolist(), regions.counts.tolist(), strict=True))


def shorten(made: UnionRecord) -> UnionRecord:
    return replace(made, handed={**made.handed, "core": made.handed["core"][:-1]})


def favour(made: UnionRecord) -> UnionRecord:
    """Pass over the first element due to core, and hand out a later one instead."""
    kept = made.handed["core"][1:]
    others = LISTS["acme"] | LISTS["bolt"]
    spare = min(others - LISTS["core"] - set(made.handed["core"]))
    return replace(made, handed={**made.handed, "core": [*kept, spare]})


CHEATS: dict[str, tuple[Callable[[UnionRecord], UnionRecord], str]] = {
    "a short reply": (shorten, "are due to you"),
    "a favoured element": (favour, "stand before others"),
    "another seed": (lambda made: replace(made, seed=SEED + 1), "does not follow from the seed"),
}


@pytest.mark.parametrize("cheat", list(CHEATS))
def test_a_cheating_center_is_found(cheat: str) -> None:
    change, finding = CHEATS[cheat]
    found = find(claim("core", LISTS, change(record(LISTS))))
    assert finding in "; ".join(map(str, found.contradicted))


def test_an_invented_element_is_found() -> None:
    made = record(LISTS)
    with_it = {**LISTS, "bolt": LISTS["bolt"] | {b"invented"}}
    planted = replace(
        made,
        lists={**made.lists, "bolt": commit(with_it)["bolt"]},
        handed={**made.handed, "acme": [*made.handed["acme"][:-1], b"invented"]},
    )
    found = "; ".join(map(str, find(claim("acme", LISTS, planted)).contradicted))
    assert "not in the committed list of bolt" in found
    assert "in nobody's committed list" in found


def test_half_a_list_dropped_is_found_by_its_owner() -> None:
    half = {**LISTS, "acme": frozenset(sorted(LISTS["acme"])[::2])}
    made = record(half)
    honest = {n: (c.root, c.size) for n, c in commit(LISTS).items()}
    found = find(claim("acme", half, made, commitments=honest, mine=LISTS["acme"]))
    assert "size of the list of acme" in "; ".join(map(str, found.contradicted))


def test_a_padded_union_is_found() -> None:
    made = record(LISTS)
    evidence = make_evidence(made)
    padded = {**evidence.facts, "union": evidence.facts["union"] + 5}
    assert find(claim("acme", LISTS, made, facts=padded)).contradicted


def test_false_gains_are_found() -> None:
    made = record(LISTS)
    more = {**made.amounts, "bolt": made.amounts["bolt"] + 1}
    found = find(claim("acme", LISTS, made, amounts=more))
    assert "the gains are not those of the rule" in "; ".join(map(str, found.contradicted))


def test_false_region_counts_that_keep_every_size_are_on_the_centers_word() -> None:
    made = record(LISTS)
    found = find(claim("acme", LISTS, made))
    assert any("as far as sizes do not tell" in each for each in found.on_the_centers_word)


@pytest.mark.parametrize(
    "facts",
    [
        {}, {"regions": 3}, {"regions": [["1", 0]]}, {"regions": [["8", 1]]}, {"names": ["acme"]},
        {"regions": [["1", True]]}, {"regions": [["1", 1], ["1", 2]]}, {"rule": "mine"},
        {"order": "zz"}, {"union": "many"}, {"order": None},
    ],
)  # fmt: skip
def test_facts_that_are_none_are_contradicted_and_never_crash(facts: dict[str, Any]) -> None:
    made = record(LISTS)
    whole = {**make_evidence(made).facts, **facts} if facts else {}
    assert find(claim("acme", LISTS, made, facts=whole)).contradicted


@pytest.mark.parametrize(
    "private", [{}, {"openings": {"acme": {}}}, {"openings": {"stranger": {}}}, {"order": 3}]
)
def test_evidence_that_is_none_is_contradicted_and_never_crashes(private: dict[str, Any]) -> None:
    made = record(LISTS)
    assert find(claim("acme", LISTS, made, private=private)).contradicted


INSIDE: Lists = {
    "acme": numbered(1, 2, 3, 4, 5, 6, 7, 8, 9),
    "bolt": numbered(0, 1, 2, 20),
    "core": numbered(3, 4, 5, 21),
}
"""The best group is bolt and core: what acme alone has is handed out last."""


@pytest.mark.parametrize("name", list(INSIDE))
def test_where_the_best_group_goes_first_each_member_sees_it(name: str) -> None:
    made = record(INSIDE, "best-group-inside")
    assert made.first == ("bolt", "core")
    found = find(claim(name, INSIDE, made))
    assert not found.contradicted
    assert any("8 elements of bolt and core go first" in said for said in found.verified)
    assert any("best group" in said for said in found.on_the_centers_word)


def lie_about_first(made: UnionClaim, **facts: Any) -> UnionClaim:
    return replace(made, facts={**made.facts, **facts})


@pytest.mark.parametrize("facts", [{"first": ["acme", "core"]}, {"leading": 7}, {"first": None}])
def test_another_group_or_another_number_is_found_by_the_regions(facts: dict[str, Any]) -> None:
    honest = claim("acme", INSIDE, record(INSIDE, "best-group-inside"))
    assert find(lie_about_first(honest, **facts)).contradicted


def test_an_element_from_outside_the_group_that_goes_first_is_found() -> None:
    made = record(INSIDE, "best-group-inside")
    outside = next(e for e in sorted(INSIDE["acme"]) if e not in INSIDE["bolt"] | INSIDE["core"])
    handed = {**made.handed, "core": [outside, *made.handed["core"][1:]]}
    found = find(claim("core", INSIDE, replace(made, handed=handed)))
    assert found.contradicted


def test_a_center_that_lets_nothing_go_first_is_found_by_somebody() -> None:
    honest = record(INSIDE, "best-group-inside")
    plain = hand_out(INSIDE, "best-group")
    found = 0
    for seed_rule in ({"first": ()}, {"first": (), "handed": plain}):
        lying = replace(honest, **seed_rule)
        found += any(find(claim(name, INSIDE, lying)).contradicted for name in INSIDE)
    assert found == 2


def test_a_group_that_goes_first_under_another_rule_is_found() -> None:
    honest = claim("acme", LISTS, record(LISTS))
    assert find(lie_about_first(honest, first=["acme"], leading=3)).contradicted
