"""Slow, plain restatement of Algorithm 1 of "Mechanism Design for Multi-Party Machine Learning".

Every constraint is an edge of an explicit graph, relaxed by Bellman-Ford until nothing moves;
values, allocations and counterfactuals are written out for each market. Nothing here imports the
product, and nothing assumes an order of the edges or a sign of the weights.
"""

from fractions import Fraction
from itertools import product


def identity(size):
    return size


class Growth:
    """v_i = (sum q)^alpha q_i; everybody who takes part is served (alpha from -1 to 0)."""

    def __init__(self, n, alpha):
        self.n, self.alpha, self.quality = n, alpha, identity

    def value(self, i, q):
        return sum(q) ** self.alpha * q[i] if sum(q) > 0 else 0 * q[i]

    def find_served(self, present):
        return present


class Linear:
    """v_i = sum_j matrix[i][j] q_j; served is whose column sums to 0 or more."""

    def __init__(self, matrix, counterfactual="all", quality=identity):
        self.n, self.matrix, self.rule, self.quality = len(matrix), matrix, counterfactual, quality

    def value(self, i, q):
        return sum(a * x for a, x in zip(self.matrix[i], q, strict=True))

    def find_served(self, present):
        n = self.n
        if self.rule == "none" and not all(present):
            return [False] * n
        counted = present if self.rule == "participants" else [True] * n
        sums = [sum(self.matrix[i][j] for i in range(n) if counted[i]) for j in range(n)]
        return [present[j] and sums[j] >= 0 for j in range(n)]


class Given:
    """Any function of the qualities; everybody who takes part is served."""

    def __init__(self, n, function):
        self.n, self.function, self.quality = n, function, identity

    def value(self, i, q):
        return self.function(tuple(q))[i]

    def find_served(self, present):
        return present


def worth(market, i, true, reports):
    """What party i has: sizes `true`, reports with None for who stays away."""
    present = [r is not None for r in reports]
    best = market.quality(sum(r for r in reports if r is not None))
    served = market.find_served(present)
    q = [
        max(best, market.quality(t)) if s else market.quality(t)
        for s, t in zip(served, true, strict=True)
    ]
    return market.value(i, q)


def put(others, i, own):
    return [*others[:i], own, *others[i:]]


def edges(market, sizes, i, others, adjacent_only=False):
    """(from, to, weight) over nodes -1 (the base) and positions on the grid."""
    found = []
    for t, size in enumerate(sizes):
        true = put(others, i, size)
        honest = worth(market, i, true, true)
        found.append((-1, t, honest - worth(market, i, true, put(others, i, None))))
        for r in range(t - 1 if adjacent_only and t else 0, t):
            lie = worth(market, i, true, put(others, i, sizes[r]))
            found.append((r, t, honest - lie))
    return found


def bellman_ford(count, links):
    """Shortest distances from node -1 to nodes 0 .. count - 1."""
    distance = {-1: 0}
    for _ in range(count + 1):
        moved = False
        for a, b, weight in reversed(links):
            if a in distance and (b not in distance or distance[a] + weight < distance[b]):
                distance[b] = distance[a] + weight
                moved = True
        if not moved:
            return [distance[t] for t in range(count)]
    raise AssertionError("a negative cycle")


def payments(market, sizes, adjacent_only=False):
    """All parties' largest payments, by profile of positions."""
    m, n = len(sizes), market.n
    found = {profile: [None] * n for profile in product(range(m), repeat=n)}
    for i in range(n):
        for rest in product(range(m), repeat=n - 1):
            others = [sizes[t] for t in rest]
            paid = bellman_ford(m, edges(market, sizes, i, others, adjacent_only))
            for t in range(m):
                found[tuple(put(list(rest), i, t))][i] = paid[t]
    return found


def first_violated(paid, slack=0):
    """The first profile with a loss: the smallest largest size, then in order."""
    losing = [profile for profile, each in paid.items() if sum(each) < -slack]
    return min(losing, key=lambda profile: (max(profile), profile), default=None)


def certified(market, profile, chains):
    """Sum a certificate's constraints; chains by party, of sizes, the first after staying away."""
    total = Fraction(0)
    for i, chain in enumerate(chains):
        others = [t for j, t in enumerate(profile) if j != i]
        assert chain[-1] == profile[i]
        assert list(chain) == sorted(set(chain))
        before = None
        for size in chain:
            true = put(others, i, size)
            total += worth(market, i, true, true) - worth(market, i, true, put(others, i, before))
            before = size
    return total


def growth_column(alpha, other, sizes):
    """One party's largest payments in the growth market of two, every lie looked at."""
    paid = []
    for t, size in enumerate(sizes):
        joint = size + other
        value = (2 * joint) ** alpha * joint if joint else 0.0
        utility = joint**alpha * size if joint else 0.0
        for r in range(t):
            model = sizes[r] + other
            own = max(model, size)
            utility = max(utility, (own + model) ** alpha * own - paid[r])
        paid.append(value - utility)
    return paid
