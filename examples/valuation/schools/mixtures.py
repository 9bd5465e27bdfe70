"""Print what the three mixtures of privacy levels are worth and what schools are paid for them."""

import sys
from pathlib import Path

import aboveboard as ab

here = Path(__file__).parent
print(f"{'mixture':15} {'s2':>6} {'t2':>6} {'utility':>8}  mean share (schools) at level 2, 1, 0")
for mixture in ("all_direct", "half_federated", "a_third_silent"):
    try:
        settlement = ab.run(ab.load(here / f"{mixture}.toml"))
    except ab.InputError as error:  # an extra or schools.csv is missing
        print(error, file=sys.stderr)
        sys.exit(2)
    details = settlement.details
    means = []
    for level in (2, 1, 0):
        paid = [
            share.more["share"]
            for name, share in settlement.parties.items()
            if details["levels"][name] == level
        ]
        means.append(f"{sum(paid) / len(paid):.3f} ({len(paid)})" if paid else "-")
    s2, t2 = details["variances"]["s2"], details["variances"]["t2"]
    print(f"{mixture:15} {s2:6.4f} {t2:6.4f} {details['utility']:8.3f}  {'  '.join(means)}")
