"""Write raw tables of four hospitals, and of the center: categories, text labels, missing values.

The question: is a patient back within 30 days? The patients are made up (a seed draws them), their
tables look as such tables do: age and two laboratory values of which some are missing, the ward and
how the patient was admitted as text, and "yes" or "no". No table is cleaned by hand: the steps in
collaboration.toml fill, encode and scale, fitted to the center's rows alone.

The hospitals differ: west is small, east has a ward that no other table knows, and south measures
creatinine more rarely than the others.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SEED = 11
PATIENTS = {"test": 700, "validation": 700, "north": 450, "south": 250, "east": 150, "west": 60}
WARDS = ("surgery", "medicine", "cardiology")
ADMISSIONS = ("emergency", "planned", "transfer")
RISK = {
    "surgery": -0.6,
    "medicine": 0.3,
    "cardiology": 0.8,
    "burns": 0.0,
    "emergency": 0.9,
    "planned": -0.8,
    "transfer": 0.2,
}
MISSING = {"creatinine": 0.1, "hemoglobin": 0.15}
COLUMNS = ("age", "creatinine", "hemoglobin", "ward", "admission", "readmitted")


def draw(rng: np.random.Generator, hospital: str) -> list[str]:
    """Return one patient as the cells of a row."""
    wards = (*WARDS, "burns") if hospital == "east" else WARDS
    ward, admission = str(rng.choice(wards)), str(rng.choice(ADMISSIONS))
    age = rng.normal(62, 14)
    creatinine, hemoglobin = rng.lognormal(0.1, 0.35), rng.normal(12.8, 1.9)
    odds = -0.6 + 0.05 * (age - 62) + 1.4 * (creatinine - 1.1) - 0.35 * (hemoglobin - 12.8)
    odds += RISK[ward] + RISK[admission]
    back = rng.random() < 1 / (1 + np.exp(-odds))
    rarely = 0.4 if hospital == "south" else MISSING["creatinine"]
    return [
        f"{age:.0f}",
        "" if rng.random() < rarely else f"{creatinine:.2f}",
        "" if rng.random() < MISSING["hemoglobin"] else f"{hemoglobin:.1f}",
        "" if rng.random() < 0.03 else ward,
        admission,
        "yes" if back else "no",
    ]


def write(folder: Path) -> None:
    """Write every table into a folder."""
    for k, (name, count) in enumerate(PATIENTS.items()):
        rng = np.random.default_rng([SEED, k])
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream, lineterminator="\n")
            rows.writerow(COLUMNS)
            rows.writerows(draw(rng, name) for _ in range(count))


if __name__ == "__main__":
    write(Path(__file__).parent)
