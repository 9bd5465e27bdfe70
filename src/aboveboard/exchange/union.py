"""`exchange.union`: rivals exchange lists, and nobody is handed more than its part.

What: every party reports a set; the rule fixes how many new elements each receives, the seed which
ones. Cost: one pass over the data, then the rule on the counts of the Venn regions. Source:
Branzei, Orlandi, Yang, "Sharing information with competitors" (arXiv 1809.10637), section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from aboveboard.auditing import (
    DSIC,
    Budget,
    CoalitionProof,
    ExPostIC,
    IndividualRationality,
    ParetoEfficient,
    Property,
    StrongDominance,
    Symmetric,
)
from aboveboard.exchange import efficiency
from aboveboard.exchange.exclusivity import (
    ExclusiveFile,
    ExclusiveParty,
    make_shares,
    resolve_exclusivity,
)
from aboveboard.exchange.hiding import HidingGame
from aboveboard.exchange.ownership import Ownership, index_owners
from aboveboard.exchange.participation import MOST_PARTIES, ParticipationGame
from aboveboard.exchange.regions import Regions
from aboveboard.exchange.replies import Replies
from aboveboard.exchange.rules import DEFAULT_RULE, RULES, Rule
from aboveboard.exchange.truthful_range import truthful_range
from aboveboard.games.game import Game
from aboveboard.mechanisms.file_model import CollaborationFile
from aboveboard.mechanisms.mechanism import Read
from aboveboard.mechanisms.settlement import Reply, Settlement
from aboveboard.storage.records import Records

NORMALIZERS = frozenset({"case", "whitespace"})


def _normalizers(value: Any) -> Any:
    if value is True:
        return NORMALIZERS
    if value is False:
        return frozenset()
    listed = [value] if isinstance(value, str) else value
    named = isinstance(listed, list | tuple | set | frozenset) and all(
        isinstance(name, str) for name in listed
    )
    if not named or not set(listed) <= NORMALIZERS:
        raise ValueError('must be true, "case", "whitespace" or a list of these')
    return frozenset(listed)


Normalize = Annotated[frozenset[str], BeforeValidator(_normalizers)]


class UnionParty(ExclusiveParty):
    """One party of a set union."""

    data: Path | None = Field(default=None, description="file of lines, CSV or Parquet")
    key: str | None = Field(
        default=None, description="of CSV or Parquet: the column that tells rows apart"
    )
    elements: tuple[str, ...] | None = Field(
        default=None, description="instead of data: the elements themselves"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.data is None) == (self.elements is None):
            raise ValueError('give either data = "FILE" or elements = [..]')
        return self


class UnionFile(ExclusiveFile):
    """The collaboration file of `exchange.union`."""

    mechanism: Literal["exchange.union"]
    hiding: Literal["partial", "all-or-nothing"] = Field(
        default="partial", description="what a party can do: hide any part, or only stay away"
    )
    rule: Literal[
        "two-party", "three-party", "three-party-pareto", "equal-gain", "all-or-nothing",
        "best-group",
    ] | None = Field(
        default=None, description="how much is handed out; if left out, the default for `hiding`"
    )  # fmt: skip
    normalize: Normalize = Field(
        default=frozenset(),
        description='what does not tell elements apart: true, "case", "whitespace" or both',
    )
    parties: dict[str, UnionParty] = Field(min_length=1, description="by name: a table a party")

    @model_validator(mode="after")
    def _rule_fits(self) -> Self:
        rule, n = RULES[self.rule or DEFAULT_RULE[self.hiding]], len(self.parties)
        if not rule.least <= n <= rule.most:
            wanted = str(rule.least) if rule.least == rule.most else f"{rule.least} to {rule.most}"
            raise ValueError(
                f"rule {rule.name!r} is for {wanted} parties and there are {n}; "
                'rule = "best-group" with hiding = "partial" takes up to 63'
            )
        if self.hiding == "all-or-nothing" and n > MOST_PARTIES:
            raise ValueError(
                f'hiding = "all-or-nothing" takes at most {MOST_PARTIES} parties and there are '
                f'{n}; hiding = "partial" takes up to 63'
            )
        return self


@dataclass(frozen=True)
class Union:
    """Set union under one rule.

    Parameters
    ----------
    rule
        How many elements each party is handed.
    hiding
        What a party can do: hide any part ("partial") or only stay away ("all-or-nothing").
    exclusivity
        By party: the weight of its best rival's benefit in its utility.
    seed
        Fixes the order in which elements are handed out.
    normalize
        What does not tell elements apart: "case", "whitespace". The reader has made it equal
        already.
    """

    rule: Rule
    hiding: Literal["partial", "all-or-nothing"]
    exclusivity: Mapping[str, Fraction]
    seed: int
    normalize: frozenset[str] = frozenset()

    NAME: ClassVar[str] = "exchange.union"
    UNIT: ClassVar[str] = "elements"
    SUMMARY: ClassVar[str] = "parties exchange elements of their lists; no money moves"
    ASSUMES: ClassVar[str] = (
        "elements cannot be forged; a party minds what its best rival gains; the center is trusted"
    )
    GUARANTEES: ClassVar[str] = (
        "ex-post IC for hiding any part (best-group at exclusivity 1, equal-gain from 0 to 1); "
        "DSIC and IR for all-or-nothing parties from 0 to 1; symmetric, strong dominance; NOT DSIC "
        "where several hide"
    )
    COST: ClassVar[str] = (
        "a run reads all rows once and hands each on with one hash; the audit counts regions, "
        "up to 2^n of them, for each of the lists that a party could report"
    )
    SOURCE: ClassVar[str] = "Branzei, Orlandi, Yang 2018 (arXiv 1809.10637), section 2"
    FILE: ClassVar[type[CollaborationFile]] = UnionFile
    STARTING_FILE: ClassVar[str] = """\
name = "three blocklists"
mechanism = "exchange.union"
# What a party can do: hide any part of its list ("partial"), or only stay away
# ("all-or-nothing", where lists are certified).
hiding = "partial"
# How much a party minds what its best rival gains: 0 not at all, 1 as much as its own gain.
exclusivity = 1
# The rule: best-group (default for partial hiding), all-or-nothing (default for all-or-nothing),
# equal-gain, two-party, three-party, three-party-pareto.
# rule = "best-group"
# Make equal what differs only in case or white space: true, "case", "whitespace" or both.
normalize = false
# Fixes which elements are handed out. Keep it secret until all lists are in.
seed = 7

# One table a party: a file (lines of text, .csv or .parquet with a key column) or a list.
[parties.alpha]
# data = "alpha.txt"
elements = ["bad.example", "junk.example", "spam.example"]

[parties.beta]
# data = "beta.csv"
# key = "domain"
elements = ["junk.example", "phish.example"]

[parties.gamma]
elements = ["spam.example", "worm.example", "phish.example"]
"""

    @classmethod
    def from_file(cls, file: UnionFile) -> Union:
        """Take the parameters from a validated collaboration file."""
        rule = RULES[file.rule or DEFAULT_RULE[file.hiding]]
        tastes = resolve_exclusivity(file, file.parties)
        return cls(rule, file.hiding, tastes, file.seed, file.normalize)

    @staticmethod
    def read_reports(file: UnionFile, read: Read) -> dict[str, Records]:
        """Read every party's list."""
        return {
            name: read(
                name,
                data=party.data,
                elements=party.elements,
                key=party.key,
                normalize=file.normalize,
            )
            for name, party in file.parties.items()
        }

    def settle(self, reports: Mapping[str, Records]) -> Settlement:
        """Hand out elements by the rule.

        Cost: one group-by over all rows, the rule on the region counts, one hash an element.
        """
        ownership = index_owners(reports)
        regions = count_regions(ownership)
        given = dict(zip(ownership.names, self.rule.compute_amounts(regions).tolist(), strict=True))
        replies = Replies(ownership, reports, given, self.seed)
        parties = make_shares(
            {name: given[name] for name in reports},
            self.exclusivity,
            [Reply(reports[name].form, partial(replies.to, name)) for name in reports],
        )
        sizes = dict(zip(ownership.names, regions.sizes.tolist(), strict=True))
        notes = [*_as_normalized(self.normalize), *_as_keys(reports)]
        details = {
            "rule": self.rule.name,
            "hiding": self.hiding,
            "union": regions.union,
            "owned": {name: sizes[name] for name in reports},
            "lacked": {name: regions.union - sizes[name] for name in reports},
            **({"notes": notes} if notes else {}),
        }
        return Settlement(self.NAME, parties, details)

    def game(self, types: Mapping[str, Records]) -> Game:
        """Give the game in which each party chooses how much of its list to report."""
        ownership = index_owners(types)
        regions = count_regions(ownership)
        weights = tuple(self.exclusivity[name] for name in ownership.names)
        if self.hiding == "partial":
            return HidingGame(regions, self.rule, weights)
        return make_union_participation_game(regions, self.rule, weights)

    def properties(self) -> Sequence[Property]:
        """Give what an audit looks at unless told otherwise."""
        return (
            ExPostIC(),
            IndividualRationality(),
            DSIC(),
            CoalitionProof(2),
            ParetoEfficient(),
            ParetoEfficient(giving_no_less=True),
            Symmetric(),
            StrongDominance(),
        )

    def remarks(
        self, game: HidingGame | ParticipationGame, budget: Budget, seed: int
    ) -> Mapping[str, Any]:
        """Say for which taste for exclusivity the rule is truthful on these lists."""
        return {"exclusivity": truthful_range(game, budget=budget, seed=seed).as_dict()}


def _as_normalized(normalize: frozenset[str]) -> list[str]:
    """Say that elements are handed out as they were compared, not as their owners wrote them."""
    if not normalize:
        return []
    changes = {"case": "in small letters", "whitespace": "without needless white space"}
    how = " and ".join(changes[name] for name in sorted(normalize))
    return [
        f"elements are compared and handed out {how} (normalize), not as their owners wrote them"
    ]


def _as_keys(reports: Mapping[str, Records]) -> list[str]:
    """Say who sends text and gets of other parties' rows nothing but the key."""
    texts = [name for name, records in reports.items() if records.form == "txt"]
    if not texts or len(texts) == len(reports):
        return []
    who = f"{len(texts)} parties send" if len(texts) > 1 else f"{texts[0]} sends"
    verb = "are" if len(texts) > 1 else "is"
    return [f"{who} lines of text and {verb} handed of others' rows the key only, no other column"]


def count_regions(ownership: Ownership) -> Regions:
    """Count the regions of the Venn diagram."""
    masks, counts = ownership.count_regions()
    # Copies: those of polars are read-only, and Numba would compile every kernel for both kinds.
    return Regions(ownership.names, masks.copy(), counts.copy())


def make_union_participation_game(
    regions: Regions, rule: Rule, exclusivity: tuple[Fraction, ...]
) -> ParticipationGame:
    """Give the game among all-or-nothing parties: every coalition's amounts in one pass.

    Parameters
    ----------
    regions
        Who owns how much.
    rule
        How many elements each party is handed.
    exclusivity
        Each party's weight of its best rival's benefit.

    Notes
    -----
    Cost: O(2^n) amounts for n parties.
    """
    table = rule.compute_coalition_amounts(regions)
    n = len(regions.names)
    outside = regions.owned[:, None, :] & ~regions.owned[None, :, :]
    subset = np.logical_not(np.any(outside, axis=2))

    def lacks(mask: int) -> NDArray[np.int64]:
        joined = np.array([mask >> i & 1 for i in range(n)], dtype=np.bool_)
        union = regions.counts[regions.owned[joined].any(axis=0)].sum()
        holds = joined & (regions.sizes > 0)
        return np.where(holds, union - regions.sizes, 0).astype(np.int64)

    def compare(mask: int) -> NDArray[np.bool_]:
        # As in HidingGame.result_inferior: a prefix of what i is handed from.
        given = table[mask]
        inside = np.minimum(given[:, None], lacks(mask)[None, :]) <= given[None, :]
        return np.asarray(inside, dtype=np.bool_)

    def alternatives(mask: int, giving_no_less: bool) -> NDArray[np.int64]:
        return efficiency.list_candidates(
            table[mask], lacks(mask), exclusivity, giving_no_less=giving_no_less
        )

    return ParticipationGame(regions.names, table, exclusivity, subset, compare, alternatives)
