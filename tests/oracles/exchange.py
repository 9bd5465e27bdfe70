"""Slow, plain restatement of "Sharing information with competitors" (arXiv 1809.10637).

Every function follows a definition of the paper literally, with loops over Python sets and
Fractions. Where the paper is misprinted, the corrected reading of docs/theory.md is used and noted.
Nothing here imports the product.

Set rules take ``sets``, a list of frozensets in player order, and return the information benefits:
how many new elements each player receives, counted against the set the player submitted.

Convention: a party whose set is empty is ABSENT. It receives 0 and the rule is run on the others;
with fewer than two parties present everybody receives 0. Compared with letting an empty set take
part as a participant:

* two_party, three_party: nothing changes.
* three_party_pareto, best_group, equal_gain: the present parties receive the same; only the empty
  party itself changes, from min(V, |u|) to 0. (equal_gain: with one party present V is 0 anyway.)
* all_or_nothing: an empty party raises the printed cap max_k |u minus x_k| to |u|, also inside the
  recursion. With up to three parties present only the empty party itself changes; from four on the
  others may change too: {0,1,2,3}, {1}, {2}, {3} give [0,2,2,2], and [0,3,3,3] beside an empty
  participant. The convention also matters for incentives: {0,2}, {1}, {2} gives [1,2,2], and were
  player 1 to receive min(V, |u|) for submitting nothing, it would gain 1 by doing so.
"""

from fractions import Fraction
from itertools import combinations, permutations, product

# ---------------------------------------------------------------- small helpers


def union_of(sets):
    """All elements of all sets."""
    everything = set()
    for one in sets:
        everything |= one
    return everything


def lack(sets, i):
    """|u minus x_i|: how many elements of the union player i has not submitted."""
    return len(union_of(sets) - sets[i])


def first_elements(elements, count):
    """An 'arbitrary' subset of the given size: the first elements in sorted order."""
    ordered = sorted(elements)
    if count > len(ordered):
        raise AssertionError("the mechanism asks for more elements than there are")
    return set(ordered[:count])


def run_among_present(sets, rule):
    """Apply the convention on empty sets, then the rule to the parties that are left."""
    present = [i for i in range(len(sets)) if sets[i]]
    benefits = [0] * len(sets)
    if len(present) < 2:
        return benefits
    inner = rule([sets[i] for i in present])
    for place, i in enumerate(present):
        benefits[i] = inner[place]
    return benefits


def equal_up_to(sets, ceiling):
    """Lemma 2's form without an exception: everyone receives min(ceiling, |u minus x_i|)."""
    return [min(ceiling, lack(sets, i)) for i in range(len(sets))]


# ---------------------------------------------------------------- two parties


def two_party_moves(first, second):
    """Proposition 1: the two swap exclusive elements one for one. Returns what each receives."""
    only_first = first - second
    only_second = second - first
    count = min(len(only_first), len(only_second))
    return first_elements(only_second, count), first_elements(only_first, count)


def two_party(sets):
    """Proposition 1."""
    if len(sets) != 2:
        raise ValueError("two_party needs two sets")
    return run_among_present(sets, _two_party_present)


def _two_party_present(sets):
    gets_first, gets_second = two_party_moves(set(sets[0]), set(sets[1]))
    return [len(gets_first), len(gets_second)]


# ---------------------------------------------------------------- three parties


def three_party_labellings(sets):
    """Every relabelling (p1, p2, p3) that section 2.2 allows without loss of generality.

    After lines 1 to 12 of Mechanism 1 the pair (p2, p3) must have nothing in common and p2 must
    not be smaller than p3. Ties leave a choice.
    """
    allowed = []
    for p1, p2, p3 in permutations(range(3)):
        remaining, _ = _take_out_intersections(sets)
        if not (remaining[p2] & remaining[p3]) and len(remaining[p2]) >= len(remaining[p3]):
            allowed.append((p1, p2, p3))
    return allowed


def _take_out_intersections(sets):
    """Mechanism 1, lines 1 to 12: returns the remaining sets and what everyone received so far."""
    common = set(sets[0]) & set(sets[1]) & set(sets[2])
    remaining = [set(one) - common for one in sets]
    pair_of_others = []
    for i in range(3):
        j, k = [other for other in range(3) if other != i]
        pair_of_others.append(remaining[j] & remaining[k])
    s = min(len(pair) for pair in pair_of_others)
    taken = [first_elements(pair, s) for pair in pair_of_others]
    received = [set(taken[i]) for i in range(3)]
    used = union_of(taken)
    return [one - used for one in remaining], received


def three_party_moves(sets, labelling=None):
    """Mechanism 1 by the prose of section 2.2. Returns the set each player receives.

    The sizes of z and w are those of the prose, not of the pseudocode.
    """
    if labelling is None:
        labelling = three_party_labellings(sets)[0]
    remaining, received = _take_out_intersections(sets)
    p1, p2, p3 = labelling
    x1, x2, x3 = remaining[p1], remaining[p2], remaining[p3]
    x2_shared, x2_own = x2 & x1, x2 - x1
    x3_shared, x3_own = x3 & x1, x3 - x1

    if len(x2_shared) >= len(x3_own) and len(x2_own) >= len(x3_shared):
        # Case 1: player 3 trades everything it has left, then 1 and 2 go on alone.
        z = first_elements(x2_shared, len(x3_own))
        w = first_elements(x2_own, len(x3_shared))
        received[p1] |= w | x3_own
        received[p2] |= x3
        received[p3] |= z | w
        more1, more2 = two_party_moves(x1 - x3_shared - z, x2 - w - z)
        received[p1] |= more1
        received[p2] |= more2
    elif len(x3_own) > len(x2_shared) and len(x2_own) > len(x3_shared):
        # Case 2: both shared parts are traded away, then three disjoint parties are left.
        w = first_elements(x2_own, len(x3_shared))
        z = first_elements(x3_own, len(x2_shared))
        received[p1] |= z | w
        received[p2] |= x3_shared | z
        received[p3] |= x2_shared | w
        left = [x1 - x2_shared - x3_shared, x2_own - w, x3_own - z]
        players = [p1, p2, p3]
        m = min(len(one) for one in left)
        shown = [first_elements(one, m) for one in left]
        for a in range(3):
            for b in range(3):
                if a != b:
                    received[players[a]] |= shown[b]
        left = [left[a] - shown[a] for a in range(3)]
        # One of the three is exhausted: with an exhausted partner the two-party exchange is empty,
        # so running it on every pair is running it on the only pair that has something left.
        for a, b in combinations(range(3), 2):
            more_a, more_b = two_party_moves(left[a], left[b])
            received[players[a]] |= more_a
            received[players[b]] |= more_b
    elif len(x3_own) < len(x2_shared) and len(x2_own) < len(x3_shared):
        # Case 3: player 1 ends with everything, then 2 and 3 go on alone.
        w = first_elements(x2_shared, len(x3_own))
        z = first_elements(x3_shared, len(x2_own))
        received[p1] |= x2_own | x3_own
        received[p2] |= x3_own | z
        received[p3] |= x2_own | w
        more2, more3 = two_party_moves(x2_shared - w, x3_shared - z)
        received[p2] |= more2
        received[p3] |= more3
    else:
        raise AssertionError("the three cases of section 2.2 are not exhaustive")

    everything = union_of(sets)
    for i in range(3):
        if received[i] & sets[i] or not received[i] <= everything:
            raise AssertionError("a player was handed an element that is not new to it")
    return received


def three_party(sets):
    """Mechanism 1 (Theorem 2.1)."""
    if len(sets) != 3:
        raise ValueError("three_party needs three sets")
    return run_among_present(sets, _three_party_present)


def _three_party_present(sets):
    if len(sets) == 2:
        return _two_party_present(sets)
    return [len(received) for received in three_party_moves(sets)]


def three_party_pareto(sets):
    """Theorem 2.2: lift everyone to the second-highest benefit, as far as elements exist."""
    if len(sets) != 3:
        raise ValueError("three_party_pareto needs three sets")
    return run_among_present(sets, _three_party_pareto_present)


def _three_party_pareto_present(sets):
    if len(sets) == 2:
        return _two_party_present(sets)
    plain = _three_party_present(sets)
    second_highest = sorted(plain)[-2]
    lifted = []
    for i in range(3):
        lifted.append(max(plain[i], min(second_highest, lack(sets, i))))
    return lifted


# ---------------------------------------------------------------- any number of parties


def compute_v(sets):
    """Mechanism 2, function ComputeV as printed (it calls itself n! times)."""
    n = len(sets)
    if n <= 1:
        return 0
    joins = []
    lacks = []
    for k in range(n):
        others = sets[:k] + sets[k + 1 :]
        others_know_more = len(union_of(others) - sets[k])
        lacks.append(others_know_more)
        joins.append(others_know_more + compute_v(others))
    return min(min(joins), max(lacks))


def all_or_nothing(sets):
    """Mechanism 2, with line 5 corrected to v_i = min(V, |u minus x_i|)."""
    return run_among_present(sets, lambda some: equal_up_to(some, compute_v(some)))


def best_group_value(sets):
    """Max over ALL groups T of at least two of |union of T| - (largest size in T)."""
    best = 0
    for size in range(2, len(sets) + 1):
        for group in combinations(range(len(sets)), size):
            members = [sets[i] for i in group]
            gain = len(union_of(members)) - max(len(one) for one in members)
            best = max(best, gain)
    return best


def best_group(sets):
    """The best-group rule (our answer to Open Problem 1, not in the paper)."""
    return run_among_present(sets, lambda some: equal_up_to(some, best_group_value(some)))


def best_group_inside(sets):
    """The same amounts as the best-group rule; `replies_inside` says which elements."""
    return best_group(sets)


def everything(sets):
    """Section 1.1: everybody is handed all that it lacks."""
    return [lack(sets, i) if sets[i] else 0 for i in range(len(sets))]


def find_best_group(sets):
    """The largest group of two or more parties whose best equal exchange is the best of all."""
    present = [i for i in range(len(sets)) if sets[i]]
    best, value = (), 0
    for count in range(2, len(present) + 1):
        for group in combinations(present, count):
            gain = len(union_of([sets[i] for i in group])) - max(len(sets[i]) for i in group)
            if (gain, len(group)) > (value, len(best)):
                best, value = group, gain
    return best


def replies_inside(reported, order):
    """What everybody is handed by best-group-inside under one order of all elements."""
    inner = union_of([reported[i] for i in find_best_group(reported)])
    line = [x for x in order if x in inner] + [x for x in order if x not in inner]
    return replies_in_order(reported, best_group_inside(reported), line)


def equal_gain(sets):
    """Everyone receives min_k |u minus x_k| (the premise of Lemma 1 at its largest value)."""
    return run_among_present(sets, _equal_gain_present)


def _equal_gain_present(sets):
    smallest = min(lack(sets, k) for k in range(len(sets)))
    return [smallest] * len(sets)


# ---------------------------------------------------------------- incentives of set rules


def utility(benefits, i, exclusivity=Fraction(1)):
    """Section 2: v_i minus the exclusivity weight times the largest benefit of another player."""
    others = [benefits[j] for j in range(len(benefits)) if j != i]
    return benefits[i] - Fraction(exclusivity) * max(others, default=0)


def replies_best_case(owned, reported, amounts):
    """What the amounts are worth against what the players OWN, in each player's best case.

    A liar owning more than it reported may be handed elements it has already. In its best case it
    receives as many new ones as exist: min(amount, |union(reported) minus owned_i|). A truthful
    player's amount is never changed by this.
    """
    available = union_of(reported)
    return [min(amounts[i], len(available - owned[i])) for i in range(len(owned))]


def every_subset(owned):
    """All subsets of a set, the empty one and the set itself included; large ones last."""
    ordered = sorted(owned)
    for size in range(len(ordered) + 1):
        for chosen in combinations(ordered, size):
            yield frozenset(chosen)


def largest_unilateral_gain(sets, rule, exclusivity=Fraction(1)):
    """Most that one player gains by submitting another subset while the others are truthful.

    Returns (gain, player, submitted subset). Telling the truth is among the choices, so the gain
    is never negative; (0, 0, sets[0]) means that no lie is profitable.
    """
    sets = [frozenset(one) for one in sets]
    truth = rule(sets)
    best = (Fraction(0), 0, sets[0])
    for i in range(len(sets)):
        before = utility(truth, i, exclusivity)
        for submitted in every_subset(sets[i]):
            reported = [*sets[:i], submitted, *sets[i + 1 :]]
            benefits = replies_best_case(sets, reported, rule(reported))
            gain = utility(benefits, i, exclusivity) - before
            if gain > best[0]:
                best = (gain, i, submitted)
    return best


# ---------------------------------------------------------------- interval intersection


def interval(intervals):
    """Mechanism 3 (appendix A) with v(length) = -length. None means absent.

    j has the largest left end (among those the smallest right end), k the smallest right end
    (among those the largest left end). If their intervals differ, both are cut by the same length,
    the largest that does not cut into the intersection. Players with the interval of j or of k are
    treated as j or k. Everyone else keeps its own interval with benefit 0.
    """
    present = [i for i in range(len(intervals)) if intervals[i] is not None]
    answer = [(Fraction(0), intervals[i]) for i in range(len(intervals))]
    if not present:
        return answer
    of_j = intervals[present[0]]
    of_k = intervals[present[0]]
    for i in present:
        low, high = intervals[i]
        if low > high:
            raise ValueError("an interval's left end must not exceed its right end")
        if of_j[0] < low or (of_j[0] == low and of_j[1] > high):
            of_j = intervals[i]
        if of_k[1] > high or (of_k[1] == high and of_k[0] < low):
            of_k = intervals[i]
    if of_j[0] > of_k[1]:
        raise ValueError("the intervals have no common point, which the paper promises")
    if of_j == of_k:
        return answer
    length = of_k[1] - of_j[0]
    gain = min((of_j[1] - of_j[0]) - length, (of_k[1] - of_k[0]) - length)
    for i in present:
        if intervals[i] == of_j:
            answer[i] = (gain, (of_j[0], of_j[1] - gain))
        elif intervals[i] == of_k:
            answer[i] = (gain, (of_k[0] + gain, of_k[1]))
    return answer


# ---------------------------------------------------------------- average point


def mean_point(points):
    """Coordinate-wise mean."""
    return tuple(sum(axis, Fraction(0)) / len(points) for axis in zip(*points, strict=True))


def squared_distance(a, b):
    """Squared Euclidean distance."""
    return sum(((p - q) ** 2 for p, q in zip(a, b, strict=True)), Fraction(0))


def average(points, present):
    """Appendix B: participants learn the mean of the submitted points, absent ones nothing.

    The value of a point is minus its squared distance to the mean of ALL true points.
    """
    target = mean_point(points)
    submitted = [points[i] for i in range(len(points)) if present[i]]
    benefits = []
    for i in range(len(points)):
        if present[i]:
            told = mean_point(submitted)
            before = squared_distance(points[i], target)
            benefits.append(before - squared_distance(told, target))
        else:
            benefits.append(Fraction(0))
    return benefits


# ---------------------------------------------------------------- general value functions


def subsets_of_mask(mask):
    """All bit masks contained in mask, by trying every number."""
    return [part for part in range(mask + 1) if part & mask == part]


def player_count(values):
    """n, given the 2^n values of a table by bit mask."""
    n = len(values).bit_length() - 1
    if len(values) != 2**n:
        raise ValueError("the table must hold a value for every subset")
    return n


def contribution(values, present):
    """Mechanism 4 (appendix C): phi_i(S) of equation 2 for i in S = present, 0 for the others."""
    benefits = []
    for i in range(player_count(values)):
        me = 1 << i
        if not present & me:
            benefits.append(Fraction(0))
            continue
        terms = []
        for team in subsets_of_mask(present):
            if team & me:
                terms.append(min(values[team] - values[me], values[team] - values[team ^ me]))
        benefits.append(max(terms))
    return benefits


def contribution_pareto(values, present):
    """Corollary 2: everyone present gets min(max_k phi_k(S), V(S) - V({i})), the others 0."""
    phi = contribution(values, present)
    ceiling = max(phi)
    benefits = []
    for i in range(player_count(values)):
        if present & (1 << i):
            benefits.append(min(ceiling, values[present] - values[1 << i]))
        else:
            benefits.append(Fraction(0))
    return benefits


# ---------------------------------------------------------------- join or stay away


def largest_participation_gain(benefit, n, exclusivity=Fraction(1), dominant=False):
    """Most that one player gains by staying away instead of joining.

    ``benefit`` maps a list of n booleans (who is present) to the list of benefits. With
    ``dominant`` the others may be any set of participants, else all of them take part.
    Returns (gain, player, present before the player left); a negative gain means that staying
    away always costs something.
    """
    best = None
    for before in product([True, False], repeat=n):
        if not dominant and not all(before):
            continue
        for i in range(n):
            if not before[i]:
                continue
            after = list(before)
            after[i] = False
            joined = utility(benefit(list(before)), i, exclusivity)
            away = utility(benefit(after), i, exclusivity)
            if best is None or away - joined > best[0]:
                best = (away - joined, i, list(before))
    return best


# ---------------------------------------------------------------- one order of handing out


def replies_in_order(reported, amounts, order):
    """What everybody is handed: the first elements of the order that it did not report."""
    everything = union_of(reported)
    replies = []
    for i in range(len(reported)):
        pool = [element for element in order if element in everything - reported[i]]
        replies.append(set(pool[: amounts[i]]))
    return replies


def utilities_in_order(owned, reported, rule, order, exclusivity):
    """Everybody's utility under one order; what a player owns already counts nothing."""
    replies = replies_in_order(reported, rule(reported), order)
    benefits = [len(replies[i] - owned[i]) for i in range(len(owned))]
    return [utility(benefits, i, exclusivity) for i in range(len(owned))]


def largest_gain_in_one_order(owned, rule, exclusivity, members, others_free, transfers=False):
    """Most that the members gain by a joint lie, over all orders, the same for truth and lie.

    Everything is gone through: the others' reports (their truth, unless `others_free`), the
    members' lies, and all permutations of the elements.
    """
    owned = [frozenset(one) for one in owned]
    n = len(owned)
    choices = [
        list(every_subset(owned[i])) if i in members or others_free else [owned[i]]
        for i in range(n)
    ]
    best = None
    for order in permutations(sorted(union_of(owned))):
        seen = {}
        for reported in product(*choices):
            seen[reported] = utilities_in_order(owned, list(reported), rule, order, exclusivity)
        for lying in seen:
            honest = tuple(owned[i] if i in members else lying[i] for i in range(n))
            if honest == lying:
                continue
            gains = [seen[lying][i] - seen[honest][i] for i in members]
            gain = sum(gains) if transfers else min(gains)
            best = gain if best is None else max(best, gain)
    return best
