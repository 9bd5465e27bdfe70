"""`federated-mean` on users' samples: the platform's estimate of every user's mean.

What the platform sees: the samples of direct users (level 2), sums over all federated users (level
1), nothing of users at level 0. Where variances are estimated, it is from the same two sources. How
many samples each user has is public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aboveboard.errors import InputError
from aboveboard.formatting import format_rounded
from aboveboard.mechanisms.settlement import Reply
from aboveboard.valuation.estimation.estimates import find_estimator
from aboveboard.valuation.estimation.federation import CROWD, Aggregate, Federation
from aboveboard.valuation.estimation.findings import StudyFindings, compare_errors, find_differing
from aboveboard.valuation.estimation.samples import Samples
from aboveboard.valuation.estimation.simulation import SimulatedErrors, simulate_federated_mean
from aboveboard.valuation.estimation.variance_components import (
    NO_USERS,
    VarianceComponents,
    compute_mean,
    estimate_variance_components,
    sum_samples,
)
from aboveboard.valuation.levels import Level
from aboveboard.valuation.utilities.federated_mean import (
    DIRECT,
    FEDERATED,
    Population,
    compute_expected_errors,
)

NAMED = 10
"""Users named in a note before it ends."""
FEWEST_FOR_S2 = 3
"""An estimate of s2 from two users would tell each how far the other's mean lies from its own."""
WITHHELD = (
    "so few others share that the estimate would tell one of their means; the platform alone has it"
)


@dataclass(frozen=True)
class FederatedStudy:
    """The estimates of all users' means.

    Parameters
    ----------
    samples
        The samples, unread.
    federation
        The federated users.
    variances
        s2 and t2, given or estimated.
    estimated
        Which of the two are estimated.
    sharing
        From how many users; 0 where neither is.
    seed
        Of the simulation.
    """

    samples: Samples
    federation: Federation
    variances: VarianceComponents
    estimated: tuple[str, ...]
    sharing: int
    seed: int

    def findings(self, levels: Mapping[str, Level]) -> StudyFindings:
        """Estimate every user's mean at these levels.

        Raises
        ------
        InputError
            If a sample that is looked at is not a finite number, or too many federated users left.
        """
        asked = _select_level(levels, FEDERATED)
        aggregate = self.federation.aggregate(asked)
        left = [name for name in asked if name not in aggregate.members]
        levels = {name: Fraction(0) if name in left else x for name, x in levels.items()}
        names, whole = list(levels), [int(x) for x in levels.values()]
        counts = [self.samples.count(name) for name in names]
        population = Population(self.variances.s2, self.variances.t2)
        promised = np.array([float(e) for e in compute_expected_errors(population, whole, counts)])
        public: dict[str, Any] = {
            "user": names,
            "level": whole,
            "samples": counts,
            "expected_squared_error": promised,
        }
        findings = StudyFindings(
            tuple(levels.values()),
            {
                name: {"samples": n, "the platform's estimate": None, "expected squared error": x}
                for name, n, x in zip(names, counts, promised.tolist(), strict=True)
            },
            {
                name: {"expected_squared_error": error}
                for name, error in zip(names, promised.tolist(), strict=True)
            },
            self._details(aggregate, left),
            self._notes(aggregate, left, levels),
            files={"estimates": Reply("csv", rows=lambda: pl.DataFrame(public))},
        )
        return self._add_estimates(findings, levels, aggregate, public) if any(whole) else findings

    def _add_estimates(
        self,
        findings: StudyFindings,
        levels: Mapping[str, Level],
        aggregate: Aggregate,
        public: Mapping[str, Any],
    ) -> StudyFindings:
        """Add the estimates, each for whoever may see it, and a simulation of their errors."""
        names, promised = list(levels), public["expected_squared_error"]
        found, simulated = self._estimate(levels, public["samples"], aggregate)
        replies = {
            name: {**reply, "the platform's estimate": x}
            if self._may_see(levels, name)
            else {**reply, "withheld": WITHHELD}
            for (name, reply), x in zip(findings.replies.items(), found.tolist(), strict=True)
        }
        simulation = {
            "rounds": simulated.rounds,
            "differing": find_differing(names, promised, simulated),
        }
        columns = {
            **public,
            "simulated_squared_error": simulated.errors,
            "standard_error": simulated.standard_errors,
        }
        return replace(
            findings,
            replies=replies,
            details={**findings.details, "simulation": simulation},
            exhibits=(compare_errors(names, public["level"], promised, simulated),),
            files={"estimates": Reply("csv", rows=lambda: pl.DataFrame(columns))},
            center={
                "estimates": Reply("csv", rows=lambda: pl.DataFrame({**columns, "estimate": found}))
            },
        )

    def _may_see(self, levels: Mapping[str, Level], user: str) -> bool:
        """Return whether a user may see the estimate of its own mean.

        The estimate is a weighted sum of all sharers' means, and the user knows its own: one
        equation in the others' means. An estimate of s2, which everybody can tell from the shares,
        is another one. There must be more unknown means than equations.
        """
        others = sum(1 for name, level in levels.items() if level and name != user)
        return others > 1 + ("s2" in self.estimated)

    def _estimate(
        self, levels: Mapping[str, Level], counts: Sequence[int], aggregate: Aggregate
    ) -> tuple[NDArray[np.float64], SimulatedErrors]:
        population = Population(self.variances.s2, self.variances.t2)
        best = find_estimator(population, [int(x) for x in levels.values()], counts)
        means = np.array(
            [compute_mean(self.samples.read(name)) for name in _select_level(levels, DIRECT)]
        )
        rng = np.random.default_rng(self.seed)
        simulated = simulate_federated_mean(best, population, counts, rng)
        return best(means, np.array(aggregate.mean)), simulated

    def _details(self, aggregate: Aggregate, left: Sequence[str]) -> dict[str, Any]:
        variances: dict[str, Any] = {
            "s2": self.variances.s2,
            "t2": self.variances.t2,
            "estimated": list(self.estimated),
        }
        if self.estimated:
            variances["from users"] = self.sharing
        if self.truncated:
            variances["s2 before truncation"] = self.variances.untruncated
        return {
            "variances": variances,
            "aggregate": {
                "in the sum": len(aggregate.members),
                "left": list(left),
                **({"faults": dict(aggregate.faults)} if aggregate.faults else {}),
            },
        }

    @property
    def truncated(self) -> bool:
        """Whether the estimate of s2 was negative."""
        return self.variances.untruncated < 0

    def _notes(
        self, aggregate: Aggregate, left: Sequence[str], levels: Mapping[str, Level]
    ) -> tuple[str, ...]:
        notes = []
        if self.truncated:
            notes.append(
                f"the estimate of s2 is {format_rounded(self.variances.untruncated)}, below "
                "0: it is taken as "
                "0, and all users as having one mean"
            )
        if len(aggregate.members) == 1:
            (one,) = aggregate.members
            notes.append(
                f"{one} is the only federated user: to the platform the aggregate is its own mean, "
                "as if it had chosen level 2"
            )
        if self.estimated and aggregate.members and aggregate.sums is None:
            notes.append(_describe_too_few(len(aggregate.members) + len(left)))
        if left:
            notes.append(
                f"{len(left)} federated users left before the sum ({', '.join(left[:NAMED])}): "
                "they count as level 0"
            )
        notes.extend(
            f"federated user {name}: {text}"
            for name, text in list(aggregate.faults.items())[:NAMED]
        )
        if self.samples.table.bounds is not None:
            notes.append("data.bounds is for dp-mean: the federated mean clips nothing")
        if not any(levels.values()):
            notes.append("nobody shares: there are no estimates, and the error is t2 + 2 s2")
        return tuple(notes)


def prepare_federated_study(
    samples: Samples,
    levels: Mapping[str, Level],
    s2: Fraction | None,
    t2: Fraction | None,
    seed: int,
) -> FederatedStudy:
    """Prepare the study: estimate the variances that are not given, from those who share.

    Parameters
    ----------
    samples
        The samples, unread.
    levels
        By user.
    s2, t2
        Known values; None: estimated.
    seed
        Of the simulation.

    Raises
    ------
    InputError
        If those who share are too few to estimate from, or their samples are wrong.
    """
    direct, federated = _select_level(levels, DIRECT), _select_level(levels, FEDERATED)
    estimated = tuple(key for key, given in (("s2", s2), ("t2", t2)) if given is None)
    samples = samples.keep_only([*direct, *federated])
    federation = Federation(samples, bool(estimated))
    sums = NO_USERS
    if estimated:
        sums = sum_samples([samples.read(name) for name in direct])
        sums += federation.aggregate(federated).sums or NO_USERS
    try:
        _refuse_two(s2, sums.users)
        variances = estimate_variance_components(sums, s2, t2)
    except InputError as error:
        if not 0 < len(federated) < CROWD:
            raise
        problem = f"{error.problem}; {_describe_too_few(len(federated))}"
        raise InputError(error.place, problem, error.remedy) from None
    return FederatedStudy(samples, federation, variances, estimated, sums.users, seed)


def _refuse_two(s2: Fraction | None, users: int) -> None:
    """Raise `InputError` if s2 would be estimated from two users."""
    if s2 is None and users == FEWEST_FOR_S2 - 1:
        raise InputError(
            "utility.s2",
            "from two users' means it would tell each the other's mean but for its sign",
            "give a number, or have more users share",
        )


def _describe_too_few(federated: int) -> str:
    who = "1 federated user takes" if federated == 1 else f"{federated} federated users take"
    return (
        f"the {who} no part in the estimates of variances: fewer than {CROWD} could be told apart "
        "by the sums that it takes"
    )


def _select_level(levels: Mapping[str, Level], level: int) -> list[str]:
    return [name for name, x in levels.items() if x == level]
