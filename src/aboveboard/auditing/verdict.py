"""What an audit found: verdicts, their witnesses, and tables of them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from aboveboard.formatting import (
    describe_action,
    encode_number,
    format_count,
    format_digits,
    format_html_table,
    format_number,
    format_percent,
    format_quantity,
    format_rounded,
    format_table,
    make_plain,
)
from aboveboard.formatting.plain_json import LARGEST_JSON, Json
from aboveboard.games.numbers import Number, to_nearest_float

if TYPE_CHECKING:
    import polars as pl

CONFIDENCE = Fraction(95, 100)
"""Confidence of what a sample without a counterexample shows."""

TABLE_HEADS = ("property", "verdict", "largest gain", "basis", "counterexample")
"""Headings of the table that verdicts print as."""


class Status(StrEnum):
    """How sure a verdict is.

    Examples
    --------
    >>> Status("holds") is Status.HOLDS
    True
    """

    HOLDS = "holds"
    FAILS = "fails"
    NO_COUNTEREXAMPLE = "no counterexample"
    VACUOUS = "vacuous"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Witness:
    """A deviation that pays, or an outcome that breaks the property: the counterexample.

    Parameters
    ----------
    parties
        Who deviates (or, for properties of outcomes, whom it concerns).
    truth, lie
        What they should report and what they report instead, by party; empty where the property
        is about outcomes.
    others
        What everybody else reports, by party.
    gain
        By how much it pays: for a coalition what its worst-off member gains at least (with
        transfers: what the members gain together).
    row
        The check's name: the same in report, replay and test.
    payoffs
        By party: payoff with the truth, payoff with the lie.
    note
        What the numbers mean, where that is not a deviation.
    kinds
        By deviating party: the kind of its deviation, such as "hides"; empty where the property is
        about outcomes.

    Examples
    --------
    >>> print(Witness(("ann",), {"ann": "truth"}, {"ann": "hides x"}, {}, 2, "DSIC/ann/(1)"))
    ann hides x, and gains 2
    """

    parties: tuple[str, ...]
    truth: Mapping[str, object]
    lie: Mapping[str, object]
    others: Mapping[str, object]
    gain: Number
    row: str
    payoffs: Mapping[str, tuple[Number, Number]] = field(default_factory=dict)
    note: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Json]:
        """Return plain data; exact numbers as integers or "5/12"."""
        return {
            "parties": list(self.parties),
            "truth": make_plain(self.truth),
            "lie": make_plain(self.lie),
            "others": make_plain(self.others),
            "gain": encode_number(self.gain),
            "payoffs": {p: [encode_number(x) for x in pair] for p, pair in self.payoffs.items()},
            "row": self.row,
            **({"kinds": dict(self.kinds)} if self.kinds else {}),
            **({"note": self.note} if self.note else {}),
        }

    def __str__(self) -> str:
        if self.note:
            return self.note
        lies = "; ".join(f"{p} {describe_action(self.lie[p])}" for p in self.parties)
        text = f"{lies}, and gains {format_number(self.gain)}"
        others = [f"{p} {describe_action(a)}" for p, a in self.others.items() if a != "truth"]
        return text + (f", while {'; '.join(others)}" if others else "")


@dataclass(frozen=True)
class Verdict:
    """What is known of one property on one game, and how it is known.

    Parameters
    ----------
    property
        Name of the property.
    status
        `holds` (every row checked, or proved), `fails` (with a witness), `no counterexample`
        (sampled), `vacuous` (there was nothing to check), `undecided` (a float gain within the
        tolerance that no exact check settled).
    checked, total
        Rows checked, of how many there are.
    how
        "exhaustive", "sampled", "closed form", or "implied by" another property.
    gain
        The largest gain found; None where the property is not about gains or nothing was checked.
    gainer
        Who has the largest gain.
    witness
        The counterexample on this game, shrunk; None unless the status is `fails`.
    smallest
        The counterexample on the smallest instance that the search reached, with the instance.
    exact
        True if every comparison was exact; otherwise `tolerance` says how close floats may be.
    tolerance
        Gains up to this may be rounding; 0 where `exact`.
    seed
        Seed of the sample; None where nothing was sampled.
    confidence
        What a sample without a counterexample shows.
    draws
        Of any sampled coalition (or of profiles) the least number of uniform draws, on which
        `confidence` rests; None where nothing was sampled.
    statement
        Anything else that a reader needs: the argument of a proof, the ties left open.
    promised
        Whether the mechanism promises the property for its parameters.
    compared
        In how many profiles the game was compared with the rule that runs, in words.

    Examples
    --------
    >>> verdict = Verdict("DSIC", Status.HOLDS, checked=4, total=4, how="exhaustive", gain=-1)
    >>> verdict.basis(), verdict.epsilon
    ('all 4 checks', 0)
    """

    property: str
    status: Status
    checked: int
    total: int
    how: str
    gain: Number | None = None
    gainer: str | None = None
    witness: Witness | None = None
    smallest: Mapping[str, Json] | None = None
    exact: bool = True
    tolerance: float = 0.0
    seed: int | None = None
    confidence: str | None = None
    statement: str | None = None
    draws: int | None = None
    promised: bool = False
    compared: str | None = None

    @builtins.property
    def epsilon(self) -> Number | None:
        """The largest gain found, and zero where nobody gains."""
        return None if self.gain is None else max(self.gain, 0)

    def __repr__(self) -> str:
        """Return the property, the status and what it rests on."""
        gain = "" if self.gain is None else f", largest gain {format_number(self.gain)}"
        return f"<Verdict {self.property}: {self.status.value}{gain} ({self.basis()})>"

    def as_dict(self) -> dict[str, Json]:
        """Return plain data, with the keys that other programs rely on first."""
        counterexample = None
        if self.witness is not None:
            counterexample = self.witness.as_dict()
            if self.smallest is not None:
                counterexample["smallest"] = dict(self.smallest)
        return {
            "property": self.property,
            "status": self.status.value,
            "promised": self.promised,
            "checked": self.checked,
            "gain": encode_number(self.gain),
            "counterexample": counterexample,
            "basis": self.full_basis(),
            "of": self.total if self.total < LARGEST_JSON else format_digits(self.total),
            "how": self.how,
            "gainer": self.gainer,
            "exact": self.exact,
            "tolerance": self.tolerance,
            "seed": self.seed,
            "confidence": self.confidence,
            "statement": self.statement,
        }

    def basis(self) -> str:
        """Return in a few words what the status rests on."""
        checks = format_quantity(self.checked, "check")
        if self.how == "listed":
            return f"all {checks} of listed reports"
        scanned = self.how in ("exhaustive", "sampled")
        if scanned and self.status is Status.NO_COUNTEREXAMPLE and self.checked >= self.total:
            # Draws repeat themselves, and classes of rows are not rows: that was not everything.
            how = "drawn" if self.how == "sampled" else "that stand for more"
            return f"{checks} {how}"
        if self.how == "exhaustive" and self.checked == self.total:
            return f"all {checks}"
        if self.how in ("exhaustive", "sampled"):
            return f"{checks} of {format_count(self.total)}"
        return self.how

    def full_basis(self) -> str:
        """Return what the status rests on, with what was compared with the rule that runs."""
        return "; ".join(part for part in (self.basis(), self.compared) if part)


class Verdicts(Mapping[str, Verdict]):
    """Verdicts by the name of the property, in the order of the audit; prints as a table.

    Parameters
    ----------
    verdicts
        One for each property.
    left
        Names of properties that only an audit examines, where a run has looked at the promises.

    Examples
    --------
    >>> found = Verdicts([Verdict("DSIC", Status.HOLDS, 4, 4, "exhaustive", gain=-1)])
    >>> print(found)
    property  verdict  largest gain  basis         counterexample
    DSIC      holds    -1            all 4 checks
    >>> found.mark(["DSIC"]).promises_stand
    True
    """

    def __init__(self, verdicts: Iterable[Verdict], left: Iterable[str] = ()) -> None:
        self._by_name = {verdict.property: verdict for verdict in verdicts}
        self.left = tuple(left)

    def __getitem__(self, name: str) -> Verdict:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @builtins.property
    def promised(self) -> Verdicts:
        """The verdicts on what the mechanism promises."""
        return Verdicts(verdict for verdict in self.values() if verdict.promised)

    @builtins.property
    def examined(self) -> Verdicts:
        """The verdicts on what was examined besides."""
        return Verdicts(verdict for verdict in self.values() if not verdict.promised)

    @builtins.property
    def promises_stand(self) -> bool | None:
        """Whether no promise fails; None where none fails and one is undecided.

        A promise that could only be sampled stands if no counterexample was found.
        """
        statuses = [verdict.status for verdict in self.promised.values()]
        if Status.FAILS in statuses:
            return False
        return None if Status.UNDECIDED in statuses else True

    def group(self) -> list[tuple[str, Verdicts]]:
        """Return the verdicts under the headings of a report; a heading without any is left out."""
        promised, examined = self.promised, self.examined
        heading = "Also examined" if promised else "Examined"
        return [(name, g) for name, g in (("Promised", promised), (heading, examined)) if g]

    def mark(self, promised: Iterable[str], compared: str | None = None) -> Verdicts:
        """Return the same verdicts, those of these names marked as promised.

        Parameters
        ----------
        promised
            Names of the properties that are promised.
        compared
            In how many profiles the game was compared with the rule that runs.
        """
        names = set(promised)
        return Verdicts(
            replace(verdict, promised=name in names, compared=compared)
            for name, verdict in self.items()
        )

    def describe_left(self) -> str:
        """Return which properties only an audit examines; empty where none is left."""
        if not self.left:
            return ""
        return f"Also examined by 'aboveboard audit': {', '.join(self.left)}."

    def as_dict(self) -> dict[str, Json]:
        """Return plain data: {"promises_stand": .., "verdicts": [..]}, and "left_to_audit"."""
        return {
            "promises_stand": self.promises_stand,
            "verdicts": [verdict.as_dict() for verdict in self.values()],
            **({"left_to_audit": list(self.left)} if self.left else {}),
        }

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each verdict, in a polars data frame; gains become floats.

        Examples
        --------
        >>> found = Verdicts([Verdict("DSIC", Status.HOLDS, 4, 4, "exhaustive", gain=-1)])
        >>> found.to_frame().select("property", "status", "gain").row(0)
        ('DSIC', 'holds', -1.0)
        """
        import polars as pl  # a tenth of a second: only when it is used

        rows = [
            {
                "property": v.property,
                "status": v.status.value,
                "promised": v.promised,
                "gain": None if v.gain is None else to_nearest_float(v.gain),
                "checked": to_nearest_float(v.checked),
                "of": to_nearest_float(v.total),
                "basis": v.full_basis(),
                "counterexample": None if v.witness is None else str(v.witness),
                "statement": v.statement,
            }
            for v in self.values()
        ]
        return pl.DataFrame(rows, schema_overrides={"gain": pl.Float64}, infer_schema_length=None)

    def any_fails(self) -> bool:
        """Return whether a property fails."""
        return any(verdict.status is Status.FAILS for verdict in self.values())

    def _list_rows(self) -> list[tuple[str, ...]]:
        """Return the table's rows, with the columns of `TABLE_HEADS`."""
        return [
            (
                v.property,
                v.status.value,
                format_number(v.gain),
                v.basis(),
                "" if v.witness is None else str(v.witness),
            )
            for v in self.values()
        ]

    def __str__(self) -> str:
        return format_table(TABLE_HEADS, self._list_rows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same table for a notebook."""
        return format_html_table(TABLE_HEADS, self._list_rows())


def format_confidence(draws: int, claim: str) -> str:
    """Return what so many uniform draws without a success show.

    Were the share of successes p, none would be seen with probability (1 - p)^draws.
    """
    share = 1 - float(1 - CONFIDENCE) ** (1 / draws)
    return (
        f"with {format_percent(CONFIDENCE)} confidence fewer than {format_rounded(share, 2)} "
        f"of {claim} (no success in {format_count(draws)} uniform draws)"
    )
