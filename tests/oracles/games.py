"""The definitions of game theory as plain loops over nested profiles, for tests to compare with.

A game is a dict from profiles (tuples of positions) to payoffs; nothing is shared with the product.
"""

from itertools import combinations, product


class Plain:
    """A finite game: shape, payoffs by profile, truth; all else optional."""

    def __init__(self, shape, payoffs, truth, absent=None, outside=None, payments=None):
        self.shape, self.payoffs, self.truth = shape, payoffs, tuple(truth)
        n = len(shape)
        self.absent = absent or (None,) * n
        self.outside = outside or (None,) * n
        self.payments = payments

    @classmethod
    def of(cls, table, truth, **more):
        """Read nested lists (or an array) of shape (players, actions_1, .., actions_n)."""
        shape, inner = [], table[0]
        while hasattr(inner, "__len__"):
            shape.append(len(inner))
            inner = inner[0]
        payments = more.pop("payments", None)
        return cls(
            tuple(shape),
            _by_profile(table, shape),
            truth,
            payments=None if payments is None else _by_profile(payments, shape),
            **more,
        )

    @property
    def n(self):
        return len(self.shape)

    def profiles(self):
        return list(product(*(range(extent) for extent in self.shape)))

    def gains(self, members, lies, *, free):
        """Yield (honest profile, lying profile, each member's gain) of every deviation."""
        own = [lies[k] for k in range(len(members))]
        others = [j for j in range(self.n) if j not in members]
        reports = (
            product(*(range(self.shape[j]) for j in others))
            if free
            else [tuple(self.truth[j] for j in others)]
        )
        for reported in reports:
            for lie in product(*own):
                honest, lying = list(self.truth), list(self.truth)
                for j, a in zip(others, reported, strict=True):
                    honest[j] = lying[j] = a
                for i, a in zip(members, lie, strict=True):
                    lying[i] = a
                if honest == lying:
                    continue
                honest_at, lying_at = tuple(honest), tuple(lying)
                before, after = self.payoffs[honest_at], self.payoffs[lying_at]
                yield honest_at, lying_at, [after[i] - before[i] for i in members]

    def ex_post(self):
        """Gains of all deviations of ex-post incentive compatibility."""
        return [
            g[0]
            for i in range(self.n)
            for *_, g in self.gains((i,), [range(self.shape[i])], free=False)
        ]

    def dominant(self):
        """Gains of all deviations of DSIC."""
        return [
            g[0]
            for i in range(self.n)
            for *_, g in self.gains((i,), [range(self.shape[i])], free=True)
        ]

    def coalitions(self, size, transfers):
        """Gains of all joint deviations of coalitions up to `size`."""
        return [
            sum(g) if transfers else min(g)
            for s in range(1, min(size, self.n) + 1)
            for members in combinations(range(self.n), s)
            for *_, g in self.gains(members, [range(self.shape[i]) for i in members], free=False)
        ]

    def staying_away(self, free):
        """Gains of staying away."""
        found = []
        for i in range(self.n):
            if self.absent[i] is not None:
                found += [g[0] for *_, g in self.gains((i,), [[self.absent[i]]], free=free)]
            elif self.outside[i] is not None:
                for profile in self.profiles():
                    others_truthful = all(
                        a == t
                        for j, (a, t) in enumerate(zip(profile, self.truth, strict=True))
                        if j != i
                    )
                    if profile[i] == self.truth[i] and (free or others_truthful):
                        found.append(self.outside[i] - self.payoffs[profile][i])
        return found

    def equilibria(self):
        """Return all pure Nash equilibria."""
        return [
            p
            for p in self.profiles()
            if all(
                self.payoffs[(*p[:i], a, *p[i + 1 :])][i] <= self.payoffs[p][i]
                for i in range(self.n)
                for a in range(self.shape[i])
            )
        ]

    def totals_paid(self):
        """Return what the center takes in, in every profile."""
        return [sum(self.payments[p]) for p in self.profiles()]

    def outcome(self, profile):
        """Return payoffs, and what the center takes in where money moves."""
        if self.payments is None:
            return list(self.payoffs[profile])
        return [*self.payoffs[profile], sum(self.payments[profile])]

    def efficient(self):
        here = sum(self.outcome(self.truth))
        return all(sum(self.outcome(p)) <= here for p in self.profiles())

    def pareto_efficient(self):
        here = self.outcome(self.truth)
        for p in self.profiles():
            there = self.outcome(p)
            if there != here and all(b >= a for a, b in zip(here, there, strict=True)):
                return False
        return True

    def symmetric(self, grade):
        """Whether players whose reports grade alike have the same payoff."""
        return all(
            self.payoffs[p][k] == self.payoffs[p][i]
            for p in self.profiles()
            for k, i in combinations(range(self.n), 2)
            if grade[k][p[k]] == grade[i][p[i]]
        )

    def strongly_dominant(self, grade):
        """Whether a player whose report grades no higher has no higher payoff."""
        return all(
            self.payoffs[p][k] <= self.payoffs[p][i]
            for p in self.profiles()
            for k in range(self.n)
            for i in range(self.n)
            if k != i and grade[k][p[k]] <= grade[i][p[i]]
        )


def _by_profile(table, shape):
    entries = {}
    for profile in product(*(range(extent) for extent in shape)):
        row = []
        for own in table:
            entry = own
            for a in profile:
                entry = entry[a]
            row.append(entry)
        entries[profile] = tuple(row)
    return entries
