"""Slow, plain restatement of "Budget-Balanced Maximization of Social Welfare ...".

Players are 0 (the paper's player 1) to n - 1, bundles are frozensets, valuations are functions,
an allocation is a tuple of bundles (what is in none is destroyed). A lottery is a list of
(probability, node, allocation, prices). Nothing here imports the product.
"""

from fractions import Fraction
from itertools import product

F = Fraction
NOTHING = frozenset()


def allocations(goods, n):
    """Every partition of the goods into n + 1 parts, the destroyed ones left out."""
    for owners in product(range(n + 1), repeat=len(goods)):
        yield tuple(
            frozenset(g for g, owner in zip(goods, owners, strict=True) if owner == i)
            for i in range(n)
        )


def welfare(theta, allocation):
    return sum(v(a) for v, a in zip(theta, allocation, strict=True))


def utilities(theta, endowment, allocation, prices):
    return [theta[i](allocation[i]) - theta[i](endowment[i]) - prices[i] for i in range(len(theta))]


def expected(theta, endowment, lottery):
    assert sum(p for p, *_ in lottery) == 1
    total = [F(0)] * len(theta)
    for p, _, allocation, prices in lottery:
        for i, u in enumerate(utilities(theta, endowment, allocation, prices)):
            total[i] += p * u
    return total


def mechanism_m(n, big_b, endowment, epsilon, delta, a_star, p_star, step_2, step_3):
    """Steps 1 and a to k, word by word; step_2[i], step_3[i] is True for YES."""
    others = range(1, n)
    domain = range(-2 * big_b + 1, 2 * big_b)  # integers in (-2^k, 2^k), as B = 2^(k-1)
    if any(p_star[i] not in domain for i in others) or sum(p_star) != 0:
        return [(F(1), "a", endowment, (1,) + (0,) * (n - 1))]
    if a_star == endowment and all(p == 0 for p in p_star):
        return [(F(1), "b", endowment, (0,) * n)]
    found = []
    heads = 1 - delta
    discounted = (p_star[0] + 2 * (n - 1) * epsilon, *(p_star[i] - 2 * epsilon for i in others))
    yes = sum(step_2[i] for i in others)
    if yes == n - 1:
        found.append((heads, "d", a_star, discounted))
    else:
        fine = 2 * n * (n - yes) * big_b + (n - 1) * epsilon
        found.append((heads * (1 - epsilon), "e", endowment, (fine, *(-epsilon for _ in others))))
        c_2 = F(yes, n * big_b)
        found.append((heads * epsilon * c_2, "f", a_star, discounted))
        rest = ((n - 1) * epsilon, *(-epsilon for _ in others))
        found.append((heads * epsilon * (1 - c_2), "g", endowment, rest))
    for w in range(n):
        bundle = [NOTHING] * n
        prices = [-epsilon] * n
        if w == 0:
            step, bundle[0], prices[0] = "i", a_star[0], (n - 1) * epsilon
        elif step_3[w]:
            step, bundle[w] = "j", a_star[w]
            prices[w] = p_star[w] - 2 * epsilon
            prices[0] = -p_star[w] + n * epsilon
        else:
            step, bundle[w] = "k", endowment[w]
            prices[0] = F(n * n * big_b) / delta + (n - 1) * epsilon
        found.append((delta / n, (step, w), tuple(bundle), tuple(prices)))
    return [row for row in found if row[0]]


def naive(version, n, big_b, endowment, epsilon, a, p, votes):
    """Naive-2, 3, 4 for a price inside the domain."""
    others = range(1, n)
    if a == endowment and all(x == 0 for x in p):
        return [(F(1), "out", endowment, (0,) * n)]
    done = (p[0] + (n - 1) * epsilon, *(p[i] - epsilon for i in others))
    yes = sum(votes[i] for i in others)
    if yes == n - 1:
        return [(F(1), "all", a, done)]
    nothing = (0,) * n
    if version == 2:
        return [(F(1), "no", endowment, nothing)]
    if version == 3:
        rows = [
            (epsilon * yes / n, "tails", a, done),
            (1 - epsilon * yes / n, "heads", endowment, nothing),
        ]
    else:
        c_2 = F(yes, n * big_b)
        rows = [
            (1 - epsilon, "fine", endowment, (1,) + (0,) * (n - 1)),
            (epsilon * c_2, "lucky", a, done),
            (epsilon * (1 - c_2), "unlucky", endowment, nothing),
        ]
    return [row for row in rows if row[0]]


def partitions(members):
    """Every way to split the members into coalitions."""
    if not members:
        yield ()
        return
    first, *rest = members
    for smaller in partitions(rest):
        yield ((first,), *smaller)
        for k in range(len(smaller)):
            yield (*smaller[:k], (first, *smaller[k]), *smaller[k + 1 :])


def strategies_of(coalition):
    """All joint strategies: for each member but the proposer (step 2, step 3)."""
    voters = [i for i in coalition if i != 0]
    for chosen in product(product((False, True), repeat=2), repeat=len(voters)):
        yield dict(zip(voters, chosen, strict=True))


def dominant(n, coalition, utility):
    """The joint strategy strictly better than every other against all of the others' (Def. 1).

    `utility` takes {player: (step 2, step 3)}; None if there is none.
    """
    rest = list(strategies_of([i for i in range(n) if i not in coalition]))
    own = list(strategies_of(coalition))
    for s in own:
        if all(
            utility({**s, **t}) > utility({**other, **t})
            for other in own
            if other != s
            for t in rest
        ):
            return s
    return None


def truthful(theta, endowment, big_b, goods, coalition):
    """The (semi-)truthful outcomes of Definitions 7 and 8 for the proposer's coalition."""
    n = len(theta)
    best = max(welfare(theta, a) for a in allocations(goods, n))
    free = range(-2 * big_b + 1, 2 * big_b)
    for a in allocations(goods, n):
        if welfare(theta, a) < best:
            continue
        choices = [
            free if i in coalition else [theta[i](a[i]) - theta[i](endowment[i])]
            for i in range(1, n)
        ]
        for prices in product(*choices):
            yield a, (-sum(prices), *prices)


def clarke(theta, endowment, goods):
    """VCG: an efficient allocation, each paying what it costs the others that it takes part.

    Without a player the goods it brought are not there.
    """
    n = len(theta)
    best = max(allocations(goods, n), key=lambda a: welfare(theta, a))
    payments = []
    for i in range(n):
        left = [g for g in goods if g not in endowment[i]]
        without = max(sum(theta[j](a[j]) for j in range(n) if j != i) for a in allocations(left, n))
        payments.append(without - sum(theta[j](best[j]) for j in range(n) if j != i))
    return best, payments
