"""The one place in which a rule is applied: `settle` called, and its settlement checked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import join_names
from aboveboard.games.keyed_stream import KeyedStream
from aboveboard.games.lottery import Lottery
from aboveboard.games.numbers import Number, sum_exactly, to_number
from aboveboard.mechanisms.settlement import Reply, Settlement, Share

MOST_COPIED = 10_000
"""Entries of a report up to which its parts are looked at, too, for changes by the rule."""

ReportT = TypeVar("ReportT")

_UNCHANGING = object()

LOTTERY = "lottery"
"""What the stream is for that draws one settlement of several."""

if TYPE_CHECKING:
    from aboveboard.games.game import Game
    from aboveboard.mechanisms.mechanism import AnyMechanism, FileT, Mechanism


def settle_reports(
    mechanism: Mechanism[FileT, ReportT, Game], reports: Mapping[str, ReportT]
) -> Settlement | Lottery[Settlement]:
    """Apply the rule and check what comes out: exactly one share for each party.

    Raises
    ------
    InputError
        If the settlement lacks a party or has one that reported nothing, or is not one; if a share
        has a number that is not finite, or no reply; or if the rule changes what was reported.

    Examples
    --------
    >>> from aboveboard.exchange import OneDimensionalSearch
    >>> rule = OneDimensionalSearch({"ann": 1, "bob": 1})
    >>> int(settle_reports(rule, {"ann": (0, 4), "bob": (1, 6)}).parties["ann"].benefit)
    1
    """
    before = {party: _copy_if_mutable(report) for party, report in reports.items()}
    outcome = mechanism.settle(dict(reports))
    for party, copied in before.items():
        if copied is not _UNCHANGING and not is_same(copied, reports[party]):
            raise InputError(
                f"mechanism {mechanism.NAME!r}",
                f"settle changes what {party} reports",
                "let it work on a copy: the same reports are audited afterwards",
            )
    for settlement in _list_settlements(outcome):
        _check_settlement(mechanism.NAME, settlement, reports)
    return outcome


def _copy_if_mutable(report: Any) -> Any:
    """Return a copy that shows later whether a report was changed; `_UNCHANGING` for most."""
    if not isinstance(report, np.ndarray | list | dict | set | bytearray):
        return _UNCHANGING
    try:
        # The parts of a long list are not copied: that would take longer than many rules do.
        deep = not isinstance(report, np.ndarray) and len(report) <= MOST_COPIED
        made = copy.deepcopy(report) if deep else copy.copy(report)
    except Exception:
        return _UNCHANGING
    return made if is_same(made, report) else _UNCHANGING


def _list_settlements(outcome: Settlement | Lottery[Settlement]) -> Iterable[Any]:
    if isinstance(outcome, Lottery):
        return [settlement for settlement, _ in outcome]
    return [outcome]


def _check_settlement(name: str, settlement: Any, reports: Mapping[str, Any]) -> None:
    place = f"mechanism {name!r}"
    if not isinstance(settlement, Settlement):
        raise InputError(
            place,
            f"settle returns {type(settlement).__name__}, which is not a settlement",
            "return a Settlement, or a Lottery of them",
        )
    missing = [party for party in reports if party not in settlement.parties]
    extra = [str(party) for party in settlement.parties if party not in reports]
    if missing:
        raise InputError(
            place,
            f"its settlement has no share for {join_names(missing)}",
            "return one share for each party that reports",
        )
    if extra:
        raise InputError(
            place,
            f"its settlement has a share for {join_names(extra)}, who reported nothing",
            "return one share for each party that reports, and no other",
        )
    for party, share in settlement.parties.items():
        _check_share(place, party, share)


def _check_share(place: str, party: str, share: Any) -> None:
    if not isinstance(share, Share):
        raise InputError(
            place,
            f"its share for {party} is {share!r}, which is not a Share",
            "return Share(benefit, utility, payment, reply) for each party",
        )
    for name in ("benefit", "utility", "payment"):
        value = getattr(share, name)
        if not (_is_finite(value) or (value is None and name == "utility")):
            raise InputError(place, f"the {name} of {party} is {value!r}", "use a finite number")
    if not isinstance(share.reply, Reply):
        raise InputError(
            place, f"the reply of {party} is {share.reply!r}", "return a Reply for each party"
        )


def _is_finite(value: Any) -> bool:
    if isinstance(value, str):
        return False
    try:
        to_number(value)
    except ValueError:
        return False
    return True


def draw_settlement(outcome: Settlement | Lottery[Settlement], seed: int) -> Settlement:
    """Return the settlement; of a lottery the one that the seed draws.

    Examples
    --------
    >>> from aboveboard.games.lottery import Lottery
    >>> sides = [Settlement("coin", {}, headline=side) for side in ("heads", "tails")]
    >>> draw_settlement(Lottery.uniform(sides), seed=1).headline in ("heads", "tails")
    True
    """
    if isinstance(outcome, Lottery):
        return outcome.draw(KeyedStream(seed, LOTTERY))
    return outcome


def compute_expected_utility(
    mechanism: AnyMechanism,
    party: str,
    types: Mapping[str, Any],
    reports: Mapping[str, Any],
    outcome: Settlement | Lottery[Settlement],
) -> Number | None:
    """Return what the outcome is worth to a party by its type; None where that is not known."""
    return _expect(outcome, lambda s: mechanism.true_utility(party, types, reports, s))


def compute_expected_payment(party: str, outcome: Settlement | Lottery[Settlement]) -> Number:
    """Return what a party pays to the center; 0 where it stays away."""
    paid = _expect(outcome, lambda s: s.parties[party].payment if party in s.parties else 0)
    return 0 if paid is None else paid


def _expect(
    outcome: Settlement | Lottery[Settlement], value: Callable[[Settlement], Number | None]
) -> Number | None:
    if not isinstance(outcome, Lottery):
        single = value(outcome)
        return None if single is None else to_number(single)
    terms: list[Number] = []
    for settlement, weight in outcome:
        found = value(settlement)
        if found is None:
            return None
        number = to_number(found)
        terms.append(weight * number if isinstance(number, float) else weight * Fraction(number))
    return sum_exactly(terms)


def is_same(a: Any, b: Any) -> bool:
    """Return whether two reports are the same, also where they are arrays or frames.

    Missing numbers of arrays are the same as each other.

    Examples
    --------
    >>> is_same(np.array([1, np.nan]), np.array([1, np.nan])), is_same([1], [2])
    (True, False)
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")
    try:
        return bool(a.equals(b) if isinstance(a, pl.DataFrame | pl.Series) else a == b)
    except (ValueError, TypeError):
        return False
