"""Slow, plain restatement of "The Fair Value of Data Under Heterogeneous Privacy Constraints".

Shares by permutations and by the printed subset sums, in Fractions; the DP mean by numerical
minimisation of its risk; the federated mean's errors by numerical minimisation of equation 54 and
by simulation; equilibria on grids. Nothing here imports the product.
"""

from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb, factorial, inf, log

import numpy as np

# ------------------------------------------------------------------------------- shares


def shapley_by_permutations(values):
    """Mean marginal contribution over all orders of arrival; values by bit mask."""
    n = len(values).bit_length() - 1
    shares = [Fraction(0)] * n
    for order in permutations(range(n)):
        mask = 0
        for i in order:
            shares[i] += Fraction(values[mask | 1 << i]) - Fraction(values[mask])
            mask |= 1 << i
    return [x / factorial(n) for x in shares]


def subsets(members):
    """All subsets of some members, as bit masks."""
    members = list(members)
    for size in range(len(members) + 1):
        for chosen in combinations(members, size):
            yield sum(1 << i for i in chosen), size


def theorem_1(values):
    """Equations 5 and 6, as printed: the platform's share and the users'."""
    n = len(values).bit_length() - 1
    platform = sum(Fraction(values[m]) / comb(n, s) for m, s in subsets(range(n))) / (n + 1)
    users = []
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        gains = (
            (Fraction(values[m | 1 << i]) - Fraction(values[m])) / comb(n, s + 1)
            for m, s in subsets(rest)
        )
        users.append(sum(gains) / (n + 1))
    return platform, users


def theorem_2(values, alpha=Fraction(1)):
    """Equation 12, as printed."""
    n = len(values).bit_length() - 1
    users = []
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        gains = (
            (Fraction(values[m | 1 << i]) - Fraction(values[m])) / comb(n - 1, s)
            for m, s in subsets(rest)
        )
        users.append(alpha * sum(gains) / n)
    return users


def one_pass(table, weight, members):
    """The plain twin of the compiled pass."""
    by_size, of_row = np.zeros(weight.shape), np.zeros(len(table))
    for h, row in enumerate(table):
        by_size[members[h]] += row
        of_row[h] = float((weight[members[h]] * row).sum())
    return by_size, of_row


def add_by_size_and_user(values, weight):
    """Sums of a table by size of the coalition, and each user's, weighted as `one_pass` does."""
    columns, n = weight.shape[1], (len(values) - 1).bit_length()
    sizes, users = np.zeros(n + 1), np.zeros(n)
    for mask, x in enumerate(values):
        sizes[mask.bit_count()] += x
        for i in range(n):
            if mask >> i & 1:
                users[i] += weight[(mask // columns).bit_count(), mask % columns] * x
    return sizes, users


def hypergeometric(sizes, s):
    """All states of s members drawn from types of these sizes, with their probabilities."""
    n = sum(sizes)
    found = {}
    for counts in product(*(range(size + 1) for size in sizes)):
        if sum(counts) == s:
            ways = 1
            for size, k in zip(sizes, counts, strict=True):
                ways *= comb(size, k)
            found[counts] = Fraction(ways, comb(n, s))
    return found


# ------------------------------------------------------------------------------- DP mean


def dp_risk(weights, epsilons):
    """Bayes risk of sum w_i X_i + Laplace(1/eta), eta as large as the levels allow.

    E[(w.X - mu)^2] for X_i = +-1/2 with mean mu, mu uniform on [-1/2, 1/2]: the variance of X_i
    given mu is 1/4 - mu^2, 1/6 in the mean, and E[mu^2] = 1/12.
    """
    total = sum(weights)
    noise = 0.0
    for w, e in zip(weights, epsilons, strict=True):
        if w > 0:
            if e == 0:
                return inf
            noise = max(noise, w / e)
    return (total - 1) ** 2 / 12 + sum(w * w for w in weights) / 6 + 2 * noise**2


def dp_minimal_risk(epsilons, rounds=200):
    """Minimise the risk over the noise scale by golden section, the weights below by projection.

    For a given scale b = 1/eta the weights are bounded by w_i <= b epsilon_i, and the best ones
    satisfy w_i = min(b epsilon_i, x) for one x: the risk is convex and symmetric otherwise.
    """

    def at_scale(b):
        caps = [inf if e == inf else b * e for e in epsilons]

        def at(x):
            w = [min(x, cap) for cap in caps]
            return (sum(w) - 1) ** 2 / 12 + sum(v * v for v in w) / 6

        return golden(at, 0.0, 1.0, rounds) + 2 * b * b

    return golden(at_scale, 0.0, 1.0, rounds)


def golden(f, low, high, rounds):
    """Smallest value of a convex function on an interval."""
    ratio = (5**0.5 - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    fa, fb = f(a), f(b)
    for _ in range(rounds):
        if high - low < 1e-13:
            break
        if fa <= fb:
            high, b, fb = b, a, fa
            a = high - ratio * (high - low)
            fa = f(a)
        else:
            low, a, fa = a, b, fb
            b = low + ratio * (high - low)
            fb = f(b)
    return min(fa, fb, f(low), f(high))


def dp_utility(epsilons):
    """Affine in the risk: 0 without data, 1 for everybody's data without noise."""
    n = len(epsilons)
    best = 1 / (6 * (n + 2))
    return (1 / 12 - dp_minimal_risk(epsilons)) / (1 / 12 - best)


# ------------------------------------------------------------------------------- federated mean


def emse_by_minimisation(s2, t2, levels, samples, i):
    """Minimise equation 54 over weights that sum to 1, by linear algebra.

    The estimator is sum_j v_j thetahat_j, v_j alike over the federated users: its error is
    E(sum v_j thetahat_j - theta_i)^2, a quadratic form in v.
    """
    n = len(levels)
    direct = [j for j in range(n) if levels[j] == 2]
    federated = [j for j in range(n) if levels[j] == 1]
    columns = [np.eye(n)[j] for j in direct]
    if federated:
        columns.append(np.isin(np.arange(n), federated) / len(federated))
    if not columns:
        return t2 + 2 * s2
    basis = np.array(columns).T
    # theta = mean + deviation of variance s2; thetahat_j adds sampling noise of variance t2/n_j.
    q = s2 * np.eye(n) + np.diag([t2 / m for m in samples])
    form, cross = basis.T @ q @ basis, basis.T @ (s2 * np.eye(n)[i])
    k = len(columns)
    system = np.zeros((k + 1, k + 1))
    system[:k, :k], system[:k, k], system[k, :k] = 2 * form, 1, 1
    w = np.linalg.solve(system, np.concatenate([2 * cross, [1]]))[:k]
    return float(w @ form @ w - 2 * w @ cross + s2)


def emse_by_simulation(s2, t2, levels, samples, i, draws, generator):
    """Draw users and samples, estimate with the minimising weights: mean error, its deviation."""
    n = len(levels)
    direct = [j for j in range(n) if levels[j] == 2]
    federated = [j for j in range(n) if levels[j] == 1]
    theta = generator.normal(3.0, s2**0.5, (draws, n))
    seen = theta + generator.normal(0, 1, (draws, n)) * np.sqrt(t2 / np.array(samples))
    columns = [np.eye(n)[j] for j in direct]
    if federated:
        columns.append(np.isin(np.arange(n), federated) / len(federated))
    basis = np.array(columns).T
    q = s2 * np.eye(n) + np.diag([t2 / m for m in samples])
    form, cross = basis.T @ q @ basis, basis.T @ (s2 * np.eye(n)[i])
    k = len(columns)
    system = np.zeros((k + 1, k + 1))
    system[:k, :k], system[:k, k], system[k, :k] = 2 * form, 1, 1
    v = basis @ np.linalg.solve(system, np.concatenate([2 * cross, [1]]))[:k]
    errors = (seen @ v - theta[:, i]) ** 2
    return float(errors.mean()), float(errors.std() / draws**0.5)


def federated_utility(s2, t2, levels, samples, weights):
    """Equation 17."""
    return sum(
        a * log((t2 + 2 * s2) / emse_by_minimisation(s2, t2, levels, samples, i))
        for i, a in enumerate(weights)
    )


# ------------------------------------------------------------------------------- offers


def best_alike(values_by_size, cost, worst=False, alphas=2001, points=2001):
    """Equation 19 on grids of alpha and q; nothing as the private level, U(0) = 0.

    An equilibrium between two grid points shows as a change of sign.
    """
    n = len(values_by_size) - 1
    gain = [values_by_size[m + 1] / (m + 1) for m in range(n)]
    q = np.linspace(0, 1, points)
    gamma = sum(comb(n - 1, m) * q**m * (1 - q) ** (n - 1 - m) * g for m, g in enumerate(gain))
    worth = sum(comb(n, m) * q**m * (1 - q) ** (n - m) * u for m, u in enumerate(values_by_size))
    best = -inf
    for alpha in np.linspace(0, 1, alphas):
        edge = alpha * gamma - cost
        there = np.zeros(points, dtype=bool)
        there[0], there[-1] = edge[0] <= 0, edge[-1] >= 0
        there[:-1] |= edge[:-1] * edge[1:] < 0
        there |= abs(edge) < 1e-12
        keeps = (1 - alpha) * worth[there]
        best = max(best, keeps.min() if worst else keeps.max())
    return float(best)


def is_equilibrium(payoffs, x, y, tolerance=1e-9):
    """Whether (x, y), probabilities of action 1, is a Nash equilibrium of a 2x2 game."""
    first = [payoffs[0][a][0] * (1 - y) + payoffs[0][a][1] * y for a in (0, 1)]
    second = [payoffs[1][0][b] * (1 - x) + payoffs[1][1][b] * x for b in (0, 1)]
    own_1 = (1 - x) * first[0] + x * first[1]
    own_2 = (1 - y) * second[0] + y * second[1]
    return own_1 >= max(first) - tolerance and own_2 >= max(second) - tolerance


def pure_equilibria(shares_of, costs, alpha):
    """All masks of sharers from which nobody gains by a change; shares_of(mask) of the whole U."""
    n = len(costs)
    found = []
    for mask in range(1 << n):
        own = shares_of(mask)
        stable = True
        for i in range(n):
            other = shares_of(mask ^ (1 << i))
            pay = alpha * own[i] - costs[i] * (mask >> i & 1)
            instead = alpha * other[i] - costs[i] * (1 - (mask >> i & 1))
            stable &= instead <= pay
        if stable:
            found.append(mask)
    return found
