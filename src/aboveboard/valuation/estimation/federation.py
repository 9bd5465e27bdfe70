"""What the platform learns of the federated users: sums over all of them, by `secure_sum`.

Each user adds its sample mean. Where variances are estimated, and the users are enough to hide each
other in so many sums (`CROWD`), it adds its part of the sums that `variance_components` needs.
Users are objects in this process, to whom messages are carried as bytes. The protocol runs once for
the same users: two runs with different users in them could be subtracted from each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aboveboard.errors import InputError
from aboveboard.valuation.estimation.federated_user import FEWEST, User
from aboveboard.valuation.estimation.links import LocalLink
from aboveboard.valuation.estimation.masks import (
    LARGEST,
    Vector,
    decode,
    encode,
    require_cryptography,
)
from aboveboard.valuation.estimation.samples import Samples, read_samples
from aboveboard.valuation.estimation.secure_sum import Link, Sum, secure_sum
from aboveboard.valuation.estimation.variance_components import Sums, compute_mean, compute_summands

MOMENTS = 3
"""Sums that are made of the users' means m_i and public n_i: of m_i, n_i m_i and n_i m_i^2."""
FEWEST_MOMENTS = MOMENTS + 1
"""Fewest users: the sums of fewer could be solved, as two linear equations for two of them."""
CROWD = 6
"""Federated users from which on all sums are taken: a third may leave, and four stay."""


@dataclass(frozen=True)
class Aggregate:
    """What the platform learns of the federated users.

    Parameters
    ----------
    members
        Whose samples are in it; who left is not.
    mean
        The average of their sample means; 0 where there are none.
    sums
        Their part of the variance estimates; None where it is not needed, or they are fewer
        than `CROWD` and would give themselves away.
    faults
        By user: what was wrong with its answers.
    """

    members: frozenset[str]
    mean: float
    sums: Sums | None
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Federation:
    """The federated users, as far as the platform can reach them.

    Parameters
    ----------
    samples
        Where each user finds its samples.
    estimating
        Whether the sums for the variances are needed.
    known
        Sums so far, by the users in them: each is made once.
    """

    samples: Samples
    estimating: bool
    known: dict[tuple[str, ...], Aggregate] = field(default_factory=dict, compare=False, repr=False)

    def aggregate(self, users: Sequence[str]) -> Aggregate:
        """Sum up these users.

        Raises
        ------
        InputError
            If a sample is not a finite number, too many users leave, or the package that the
            protocol needs is not installed.
        """
        key = tuple(users)
        if key not in self.known:
            self.known[key] = self._sum_up(key)
        return self.known[key]

    def _sum_up(self, users: tuple[str, ...]) -> Aggregate:
        if not users:
            return Aggregate(frozenset(), 0.0, None)
        if len(users) < FEWEST:
            # A sum of one hides nothing, which a note says; its scatter is not taken.
            again = read_samples(self.samples.held[users[0]].source)
            alone = make_summary(again, users[0], estimating=False)
            return self._open_sum(Sum(alone, frozenset({1})), users)
        estimating = self.estimating and len(users) >= CROWD
        length, fewest = (4, FEWEST_MOMENTS) if estimating else (1, FEWEST)
        require_cryptography()
        numbered = dict(enumerate(users, 1))
        here: dict[int, Link] = {
            i: LocalLink(User(i, make_summary(self.samples, name, estimating=estimating), fewest))
            for i, name in numbered.items()
        }
        return self._open_sum(secure_sum(here, length, largest=LARGEST), users)

    def _open_sum(self, found: Sum, users: Sequence[str]) -> Aggregate:
        members = [users[i - 1] for i in sorted(found.members)]
        mean, *rest = decode(found.total)
        counts = [self.samples.count(name) for name in members]
        sums = Sums(len(members), sum(counts), sum(n * n for n in counts), *rest) if rest else None
        faults = {users[i - 1]: text for i, text in sorted(found.faults.items())}
        return Aggregate(frozenset(members), float(mean / len(members)), sums, faults)


def make_summary(samples: Samples, name: str, *, estimating: bool) -> Vector:
    """Return what a federated user adds to the sums: computed by the user, not by the platform.

    Raises
    ------
    InputError
        If a sample is not a finite number, or so large that the sums would wrap.
    """
    values = samples.read(name)
    mean = compute_mean(values)
    try:
        return encode((mean, *compute_summands(values)) if estimating else (mean,))
    except (ValueError, OverflowError):
        raise InputError(
            samples.held[name].source.where,
            f"the samples of user {name!r} are too large to be summed exactly",
            "give them in a larger unit",
        ) from None
