"""Inspection: every lie, every sample and every order, from the definition, for small lists."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial
from itertools import combinations, islice, permutations, product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard.errors import BudgetExceeded, InputError
from aboveboard.exchange import (
    RULES,
    ExclusivityRange,
    HidingGame,
    Regions,
    lie_tables,
)
from aboveboard.exchange.inspected_inventing import AgainstInspectedInventing
from aboveboard.exchange.inspection import format_answers, read_answers
from aboveboard.exchange.inspection_bounds import compute_proved_rate, compute_stated_bound
from aboveboard.exchange.inspection_design import InspectionSetting, design_inspection
from aboveboard.exchange.inspection_search import find_least_deposit, find_least_rate
from aboveboard.exchange.lie_tables import tabulate_lies
from oracles import exchange as oracle

PLAIN = {
    "equal-gain": oracle.equal_gain,
    "best-group": oracle.best_group,
    "all-or-nothing": oracle.all_or_nothing,
}
THREE = [{1, 2, 3, 4}, {3, 4, 5, 6}, {1, 6, 7, 8}]


def make_setting(
    sets: list[set[int]], e: object, rule: str = "equal-gain", **more: object
) -> InspectionSetting:
    own = ExclusivityRange.from_value(e)
    regions = Regions.from_sets({f"p{i}": s for i, s in enumerate(sets)})
    return InspectionSetting(regions, RULES[rule], (own,) * len(sets), **more)


def settle(
    reports: list[frozenset[int]], caught: set[int], rule: str, order: tuple[int, ...]
) -> list[set[int]]:
    """Hand out by the rule; whoever was caught is handed nothing."""
    replies = oracle.replies_in_order(reports, PLAIN[rule](reports), order)
    return [set() if i in caught else set(reply) for i, reply in enumerate(replies)]


def value(replies: list[set[int]], sets: list[set[int]], i: int, e: Fraction) -> Fraction:
    real = set().union(*sets)
    benefits = [len(reply & real - own) for reply, own in zip(replies, sets, strict=True)]
    return oracle.utility(benefits, i, e)


def find_gain(
    sets: list[set[int]],
    rule: str,
    e: Fraction,
    rate: Fraction,
    deposit: Fraction,
    *,
    most: int,
    miss: Fraction = Fraction(0),
    whole: bool = False,
) -> Fraction:
    """Return the largest expected gain over all lies and orders, sample by sample."""
    real = sorted(set().union(*sets))
    best = Fraction(-(10**9))
    for i, own in enumerate(sets):
        parts = [set(), own] if whole else oracle.every_subset(own)
        for part, k in product(parts, range(1, most + 1)):
            fakes = [100 + j for j in range(k)]
            # Invented elements first, or the liar's own: the orders that matter to it, and others.
            for order in list(permutations([*real[:3]]))[:2]:
                rest = [x for x in real if x not in order]
                full = (*fakes, *sorted(set(real) - own), *own)
                for line in (full, (*order, *rest, *fakes)):
                    best = max(
                        best,
                        expect(sets, i, set(part), fakes, rule, e, rate, deposit, miss, line)
                        - value(
                            settle([frozenset(s) for s in sets], set(), rule, line), sets, i, e
                        ),
                    )
    return best


def expect(sets, i, part, fakes, rule, e, rate, deposit, miss, order) -> Fraction:
    """Return the liar's expected utility: each fake is sampled or not, and fools or not."""
    total = Fraction(0)
    for sampled in product([0, 1], repeat=len(fakes)):
        for fools in product([0, 1] if miss else [0], repeat=len(fakes)):
            chance = Fraction(1)
            for s, f in zip(sampled, fools, strict=True):
                chance *= (rate if s else 1 - rate) * ((miss if f else 1 - miss) if miss else 1)
            if not chance:
                continue
            found = any(s and not f for s, f in zip(sampled, fools, strict=True))
            left = [x for x, f in zip(fakes, fools, strict=True) if f or not found]
            reports = [frozenset(s) for s in sets]
            reports[i] = frozenset(part | set(left))
            replies = settle(reports, {i} if found else set(), rule, order)
            total += chance * (value(replies, sets, i, e) - (deposit if found else 0))
    return total


def draw_lists(generator: np.random.Generator, most: int) -> list[set[int]]:
    while True:
        sets = [
            set(np.flatnonzero(generator.random(most) < 0.5).tolist())
            for _ in range(int(generator.integers(2, 4)))
        ]
        if all(sets):
            return sets


def test_three_lists_need_a_rate_of_one_less_the_root_of_three_quarters() -> None:
    found = design_inspection(make_setting(THREE, "1/2"))
    assert found.exact_rate == "1-(3/4)^(1/2)"
    assert 0 < found.rate - Fraction(1 - 0.75**0.5) < 1e-9
    assert (found.deposit, found.bound) == (0, Fraction(3, 11))


@pytest.mark.parametrize("rule", ["equal-gain", "best-group", "all-or-nothing"])
def test_at_the_rate_and_deposit_of_design_no_lie_pays_in_any_sample(rule: str) -> None:
    check_designs(rule, np.random.default_rng(5), 2, 3)


@pytest.mark.deep
@pytest.mark.parametrize("rule", ["equal-gain", "best-group", "all-or-nothing"])
def test_on_many_lists_no_lie_pays_in_any_sample(rule: str) -> None:
    check_designs(rule, np.random.default_rng(6), 20, 4)


def check_designs(rule: str, generator: np.random.Generator, count: int, most: int) -> None:
    whole = rule == "all-or-nothing"
    for _ in range(count):
        sets = draw_lists(generator, most)
        e = Fraction(1) if rule == "best-group" else Fraction(int(generator.integers(0, 5)), 4)
        miss = Fraction(int(generator.integers(0, 2)), 5)
        setting = make_setting(sets, e, rule, whole_lists=whole, miss=miss)
        found = design_inspection(setting)
        assert found.rate <= found.bound == compute_stated_bound(setting.gain, e)

        gain = partial(find_gain, sets, rule, e, most=3, miss=miss, whole=whole)
        assert gain(found.rate, found.deposit) <= 0, (sets, e, miss, found)
        if found.deposit:
            assert gain(found.rate, found.deposit * Fraction(99, 100)) > 0, (sets, e, found)
        elif found.rate:
            assert gain(found.rate * Fraction(99, 100), Fraction(0)) > 0, (sets, e, miss, found)


def test_equal_gain_is_tabulated_as_its_regions_say() -> None:
    """The short table, by how many elements are hidden, has the best lies of the long one."""
    from aboveboard.exchange.lie_tables import _tabulate

    generator = np.random.default_rng(3)
    for _ in range(20):
        sets = draw_lists(generator, 5)
        e = Fraction(int(generator.integers(0, 5)), 4)
        setting = make_setting(sets, e)
        game = HidingGame(setting.regions, setting.rule, (e,) * len(sets))
        for i in range(len(sets)):
            short = tabulate_lies(game, i, misses=True)
            long = _tabulate(game, i, whole_lists=False, misses=True)
            rows = [
                {(*u, *c) for u, c in zip(t.unseen.tolist(), t.caught.tolist(), strict=True)}
                for t in (short, long)
            ]
            assert rows[0] == rows[1]
            assert short.truth == long.truth


def test_the_closed_form_is_enough_for_every_list_of_few_elements() -> None:
    for sets in (
        [{0}, {1}],
        [{0, 1}, {2, 3}],
        [{0, 1}, {1, 2}, {0, 3}],
        THREE,
        [set("abcd"), set("efgh")],
    ):
        for e in ("0", "1/4", "1/2", "3/4", "9/10"):
            setting = make_setting(sets, e)
            alone = design_inspection(setting).rate_alone
            assert alone is not None
            assert float(alone) <= compute_proved_rate(setting.gain, Fraction(e)).value + 1e-8


def test_the_stated_bound_alone_is_not_enough_near_exclusivity_one() -> None:
    """Two lists of four at e = 9/10: the bound is 19/59, and 3/5 is needed."""
    sets = [{1, 2, 3, 4}, {5, 6, 7, 8}]
    e = Fraction(9, 10)
    bound = compute_stated_bound(4, e)
    assert bound == Fraction(19, 59)
    assert find_gain(sets, "equal-gain", e, bound, Fraction(0), most=1) == Fraction(
        40, 59
    ) - Fraction(2, 5)
    assert find_gain(sets, "equal-gain", e, Fraction(3, 5), Fraction(0), most=3) == 0
    assert design_inspection(make_setting(sets, e)).rate_alone == Fraction(3, 5)


def test_at_exclusivity_one_a_rate_can_be_enough_without_a_deposit() -> None:
    """Where the others exchange without the liar, being caught costs it what they gain."""
    found = design_inspection(make_setting(THREE, 1))
    assert (found.rate_alone, found.deposit) == (Fraction(1, 3), 0)


def test_at_exclusivity_one_two_parties_need_a_deposit() -> None:
    found = design_inspection(make_setting([{1, 2, 3, 4}, {5, 6, 7, 8}], 1))
    assert (found.rate, found.deposit, found.rate_alone) == (Fraction(1, 3), 2, 1)
    assert found.deposit == (1 - found.rate) / found.rate


def test_long_lists_are_answered_by_the_closed_form() -> None:
    sets = [set(range(i * 15_000, i * 15_000 + 20_000)) for i in range(5)]
    found = design_inspection(make_setting(sets, "1/2"))
    gain = len(set().union(*sets)) - 20_000
    assert (found.basis, found.gain, found.rate) == ("closed form", gain, Fraction(1, gain + 1))
    assert found.rate <= found.bound


@pytest.mark.parametrize("own", [False, True])
def test_no_coalition_gains_that_invents_the_same_elements(own: bool) -> None:
    """Two parties hide and invent the same k elements: both never gain, in any order."""
    generator = np.random.default_rng(8 + own)
    for _ in range(6):
        sets = [*draw_lists(generator, 4), {0, 4}][:3]
        if len(sets) < 3:
            sets.append({1, 2})
        e = Fraction(int(generator.integers(0, 3)), 4)
        setting = make_setting(sets, e, coalitions=True)
        found = design_inspection(setting)
        check_pairs(sets, e, found.rate, found.deposit)


def check_pairs(sets: list[set[int]], e: Fraction, rate: Fraction, deposit: Fraction) -> None:
    real = sorted(set().union(*sets))
    for pair in combinations(range(len(sets)), 2):
        for k in (1, 2):
            fakes = {100 + j for j in range(k)}
            unseen = (1 - rate) ** k
            parts = [list(oracle.every_subset(sets[i])) for i in pair]
            for hidden in product(*parts):
                for line in ((*sorted(fakes), *real), (*reversed(real), *fakes), (*real, *fakes)):
                    truth = settle([frozenset(s) for s in sets], set(), "equal-gain", line)
                    lying, left = [frozenset(s) for s in sets], [frozenset(s) for s in sets]
                    for i, part in zip(pair, hidden, strict=True):
                        lying[i], left[i] = frozenset(part | fakes), frozenset(part)
                    both = settle(lying, set(), "equal-gain", line)
                    caught = settle(left, set(pair), "equal-gain", line)
                    gains = [
                        unseen * value(both, sets, i, e)
                        + (1 - unseen) * (value(caught, sets, i, e) - deposit)
                        - value(truth, sets, i, e)
                        for i in pair
                    ]
                    assert min(gains) <= 0, (sets, e, pair, hidden, k, line)


def test_an_exclusivity_above_one_is_refused() -> None:
    with pytest.raises(InputError, match="staying away"):
        design_inspection(make_setting([{1}, {2}], 2))


@pytest.mark.parametrize("rule", ["equal-gain", "best-group", "all-or-nothing"])
@pytest.mark.parametrize("whole_lists", [False, True])
def test_no_rate_is_designed_for_lists_that_are_all_empty(rule: str, whole_lists: bool) -> None:
    with pytest.raises(InputError, match="empty"):
        design_inspection(make_setting([set(), set()], "1/2", rule, whole_lists=whole_lists))


def test_a_rate_that_is_too_low_fails_with_the_lie_that_pays() -> None:
    setting = make_setting(THREE, "1/2")
    game = HidingGame(setting.regions, setting.rule, (Fraction(1, 2),) * 3)
    claim = AgainstInspectedInventing(setting.ranges, Fraction(1, 10))
    verdict = ab.audit(game, [claim])[claim.name]
    assert verdict.status == "fails"
    assert verdict.witness is not None
    assert verdict.witness.kinds == {verdict.witness.parties[0]: "invents"}
    assert verdict.gain == find_gain(
        THREE, "equal-gain", Fraction(1, 2), Fraction(1, 10), Fraction(0), most=3
    )


FILE = """
mechanism = "exchange.union"
exclusivity = "1/2"
seed = 5
[inspection]
{inspection}
[parties.a]
elements = ["1", "2", "3", "4"]
[parties.b]
elements = ["3", "4", "5", "6"]
[parties.c]
elements = ["1", "6", "7", "8"]
"""


def write_file(folder: Path, inspection: str) -> Path:
    path = folder / "lists.toml"
    path.write_text(FILE.format(inspection=inspection))
    return path


def test_design_prints_rate_and_deposit(tmp_path: Path) -> None:
    from aboveboard.commands.running import design

    found = design(ab.load(write_file(tmp_path, "")))
    said = json.loads(json.dumps(found.as_dict()))
    assert (said["rate"], said["deposit"]) == ("18817/140452", 0)


def test_who_is_caught_is_handed_nothing_and_forfeits_its_deposit(tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("\n".join("1234567"))
    path = write_file(tmp_path, 'rate = 1\ndeposit = 2\nknown = "known.txt"')
    settlement = ab.run(ab.load(path))
    caught = settlement.parties["c"]
    assert (caught.benefit, caught.payment, caught.utility) == (0, 2, Fraction(-3, 2) - 2)
    assert caught.reply.rows is not None
    assert caught.reply.rows().height == 0
    # The others exchange with its true part {1, 6, 7}: seven elements, four of each owned.
    assert [settlement.parties[name].benefit for name in "ab"] == [3, 3]
    assert settlement.details["inspection"]["invented"] == {"c": 1}


def test_a_function_inspects(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text("def is_real(element):\n    return element != '8'\n")
    path = write_file(tmp_path, 'rate = 1\nfunction = "checks:is_real"')
    with pytest.raises(InputError, match="trust-code"):
        ab.run(ab.load(path))
    settlement = ab.run(ab.load(path, trust_code=True))
    assert settlement.details["inspection"]["invented"] == {"c": 1}


def test_people_are_asked_and_the_next_run_goes_on(tmp_path: Path) -> None:
    from aboveboard.commands.running import run_collaboration

    path = write_file(tmp_path, 'rate = "1/2"\nanswers = "answers.csv"')
    answers, out = tmp_path / "answers.csv", tmp_path / "out"
    with pytest.raises(InputError, match="must be inspected by hand"):
        run_collaboration(ab.load(path), out)
    asked = answers.read_text().splitlines()[1:]
    assert 0 < len(asked) < 8
    first = asked[0].partition(",")[0]
    answers.write_text(
        "element,real\n"
        + "".join(f"{row}{'no' if row.startswith(first) else 'yes'}\n" for row in asked)
    )
    with pytest.raises(InputError):  # who reported it is inspected whole
        run_collaboration(ab.load(path), out)
    answers.write_text(
        "".join(
            f"{row}yes\n" if row.endswith(",") else f"{row}\n"
            for row in answers.read_text().splitlines()
        )
    )
    report = run_collaboration(ab.load(path), out)
    owners = [
        name for name, own in zip("abc", ("1234", "3456", "1678"), strict=True) if first in own
    ]
    assert list(report.settlement.details["inspection"]["invented"]) == owners


def test_an_answer_without_its_element_is_refused(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("element,real\nx,yes\n,no\n")
    with pytest.raises(InputError, match="line 3: the column element is empty"):
        read_answers(answers)


def test_misses_of_long_lists_are_not_tabulated() -> None:
    """The table would have the square of the number of elements."""
    sets = [set(range(i * 1500, i * 1500 + 1500)) for i in range(2)]
    setting = make_setting(sets, "1/2", whole_lists=True, miss=Fraction(1, 10))
    with pytest.raises(BudgetExceeded, match="misses"):
        list(setting.list_tables())
    assert next(iter(make_setting(sets, "1/2", whole_lists=True).list_tables())).size > 0


@pytest.mark.parametrize("miss", [Fraction(0), Fraction(1, 10)])
def test_rows_that_are_merged_keep_rate_and_deposit(miss: Fraction) -> None:
    """The best of the lies that bring the same when caught are as good as all of them."""
    generator = np.random.default_rng(11)
    for _ in range(12):
        e = Fraction(int(generator.integers(0, 5)), 4)
        rule = ["equal-gain", "best-group"][int(generator.integers(2))]
        setting = make_setting(draw_lists(generator, 5), e, rule, miss=miss)
        tables = list(setting.list_tables())
        merged = [table.merge_rows() for table in tables]
        assert sum(t.size for t in merged) <= sum(t.size for t in tables)
        for deposit in (Fraction(0), Fraction(3, 2)):
            rates = [find_least_rate(each, miss, deposit) for each in (tables, merged)]
            assert rates[0] == rates[1]
        deposits = [find_least_deposit(each, Fraction(1, 7), miss) for each in (tables, merged)]
        assert deposits[0] == deposits[1]


def test_tables_take_as_much_memory_as_what_differs_in_them() -> None:
    """Of the first two of 40 tables, what decides takes less than a tenth of all lies."""
    alone = [set(range(i * 100, i * 100 + 40)) for i in range(20)]
    setting = make_setting([own | set(range(5000, 5039)) for own in alone], [0, 1])
    sizes = [
        (t.unseen.nbytes, t.merge_rows().unseen.nbytes) for t in islice(setting.list_tables(), 2)
    ]
    assert all(small * 10 < large for large, small in sizes)


def test_the_closed_form_is_enough_for_whole_lists_too() -> None:
    """They have fewer lies: where there are too many of them, the closed form of all answers."""
    for sets in (THREE, [{0, 1}, {1, 2}, {0, 3}], [set("abcd"), set("efgh")]):
        for e in ("0", "1/2", "9/10"):
            setting = make_setting(sets, e, whole_lists=True)
            alone = design_inspection(setting).rate_alone
            assert alone is not None
            assert float(alone) <= compute_proved_rate(setting.gain, Fraction(e)).value + 1e-8
    long = [set(range(i * 1500, i * 1500 + 1500)) for i in range(2)]
    for coalitions in (False, True):
        more = {"miss": Fraction(1, 10), "coalitions": coalitions}
        found, wider = (
            design_inspection(make_setting(long, "1/2", whole_lists=whole, **more))
            for whole in (True, False)
        )
        assert found == wider
        assert found.basis == "closed form"


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("coalitions", [False, True])
def test_a_refusal_never_advises_what_is_there(whole: bool, coalitions: bool) -> None:
    long = [set(range(i * 1500, i * 1500 + 1500)) for i in range(2)]
    more = {"whole_lists": whole, "coalitions": coalitions, "miss": Fraction(1, 10)}
    for rule in ("best-group", "all-or-nothing"):
        with pytest.raises(InputError) as refused:
            design_inspection(make_setting(long, 1, rule, **more))
        assert 'use rule = "equal-gain"' in refused.value.remedy
    assert design_inspection(make_setting(long, 1, "equal-gain", **more)).basis == "closed form"


def test_by_hand_needs_a_seed(tmp_path: Path) -> None:
    path = write_file(tmp_path, 'rate = "1/2"\nanswers = "answers.csv"')
    path.write_text(path.read_text().replace("seed = 5\n", ""))
    with pytest.raises(InputError, match="same sample"):
        ab.load(path)


def test_a_run_without_a_rate_names_the_command_that_finds_one(tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("1\n")
    path = write_file(tmp_path, 'known = "known.txt"')
    with pytest.raises(InputError, match="aboveboard design"):
        ab.run(ab.load(path))


def test_a_run_without_an_inspector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which elements are real"):
        ab.run(ab.load(write_file(tmp_path, 'rate = "1/2"')))


@pytest.mark.deep
def test_an_audit_promises_that_inventing_does_not_pay_at_a_rate_that_is_enough(
    tmp_path: Path,
) -> None:
    name = "ex-post IC against inventing"
    enough = ab.audit(ab.load(write_file(tmp_path, 'rate = "2/15"\ndeposit = "1/10"')))
    assert enough[name].promised
    assert enough.promises_stand is True
    short = ab.audit(ab.load(write_file(tmp_path, 'rate = "1/10"')))
    assert not short[name].promised
    assert short[name].status == "fails"


def test_a_rate_of_1_promises_nothing_under_a_rule_under_which_hiding_pays() -> None:
    regions = Regions.from_sets({"a": "abcdefghij", "b": "z"})
    one = ExclusivityRange.from_value("1")
    game = HidingGame(regions, RULES["everything"], (Fraction(1),) * 2)
    alone = AgainstInspectedInventing((one, one), Fraction(1))
    assert ab.audit(game, [alone])[alone.name].gain == 9  # hides ten elements, and is caught
    together = AgainstInspectedInventing((one, one), Fraction(1), coalitions=True)
    assert ab.audit(game, [together])[together.name].status == "undecided"


@given(st.dictionaries(st.text(min_size=1), st.sampled_from([True, False, None]), max_size=6))
def test_questions_compute_nothing_and_come_back_as_they_were(
    answers: dict[str, bool | None],
) -> None:
    safe = {name: a for name, a in answers.items() if name.isprintable() and name.strip() == name}
    safe |= {"=1+1": True, "'=1+1": False, "@x": None}
    text = format_answers(safe)
    assert not any(line.startswith(("=", "@", "+")) for line in text.splitlines())
    with TemporaryDirectory() as folder:
        path = Path(folder, "answers.csv")
        path.write_text(text, encoding="utf-8", newline="")
        assert read_answers(path) == safe


@pytest.mark.parametrize("miss", [Fraction(0), Fraction(1, 5)])
@pytest.mark.parametrize("stated", [{}, {"deposit": Fraction(3)}, {"rate": Fraction(1, 9)}])
def test_tables_that_are_made_anew_give_the_design_of_those_that_are_kept(
    monkeypatch: pytest.MonkeyPatch, miss: Fraction, stated: dict[str, Fraction]
) -> None:
    sets = {"a": "1234", "b": "3456", "c": "1678", "d": "29"}
    regions = Regions.from_sets(sets)
    ranges = tuple(ExclusivityRange.from_value(value) for value in ("1/2", [0, 1], 1, 0))
    setting = InspectionSetting(regions, RULES["equal-gain"], ranges, miss=miss)
    kept = design_inspection(setting, **stated)
    tables = list(setting.list_tables())
    assert kept.lies == sum(table.size for table in tables)
    room = sum(table.unseen.nbytes + table.caught.nbytes for table in tables) // 3
    for most in (0, room):
        monkeypatch.setattr(lie_tables, "KEPT_BYTES", most)
        assert design_inspection(setting, **stated) == kept


@pytest.mark.parametrize("deposit", [Fraction(0), Fraction(1, 2)])
def test_the_rate_against_all_is_the_largest_against_one_in_any_order(deposit: Fraction) -> None:
    sets = [set("abcdef"), set("abx"), set("fgh"), set("y")]
    regions = Regions.from_sets({f"p{i}": s for i, s in enumerate(sets)})
    ranges = tuple(ExclusivityRange.from_value(value) for value in ("1/2", [0, 1], 1, "3/4"))
    miss = Fraction(1, 5)
    setting = InspectionSetting(regions, RULES["equal-gain"], ranges, miss=miss)
    tables = list(setting.list_tables())
    alone = [find_least_rate([table], miss, deposit)[0] for table in tables]
    known = [rate for rate in alone if rate is not None]
    assert len(set(known)) > 2
    expected = max(known) if len(known) == len(alone) else None
    for order in (tables, tables[::-1]):
        assert find_least_rate(order, miss, deposit)[0] == expected
