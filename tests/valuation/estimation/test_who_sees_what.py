"""No user can compute another user's mean from what it may read: an inversion test.

What a user sees are its own samples, its reply, and everything in the settlement folder that all
may read. Data are changed so that all of this stays as it is, while the means of the others change:
then none of them can be computed from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aboveboard as ab
from aboveboard.errors import InputError

FILE = """
mechanism = "valuation.payments"
seed = 1
[utility]
kind = "federated-mean"
s2 = {s2}
t2 = {t2}
[data]
file = "samples.csv"
user = "who"
value = "score"
level = "privacy"
"""
PUBLIC_FILES = ("settlement.json", "estimates.csv", "report.html", "collaboration.toml")


def settle(
    folder: Path, levels: Sequence[int], samples: Sequence[Sequence[float]], **more: str
) -> Any:
    rows = "".join(
        f"u{i},{float(x)!r},{level}\n"
        for i, (level, own) in enumerate(zip(levels, samples, strict=True))
        for x in own
    )
    (folder / "samples.csv").write_text("who,score,privacy\n" + rows)
    path = folder / "c.toml"
    path.write_text(FILE.format(**{"s2": "0.5", "t2": "2.0", **more}))
    return ab.run(path)


def what_all_may_read(settlement: Any) -> dict[str, Any]:
    return {
        "details": settlement.details,
        "shares": {
            name: (share.benefit, share.utility, share.payment, dict(share.more))
            for name, share in settlement.parties.items()
        },
        "files": {
            name: reply.rows().to_dicts() if reply.rows else reply.data
            for name, reply in settlement.files.items()
        },
        "exhibits": settlement.exhibits,
    }


def samples_of(means: Sequence[float]) -> list[list[float]]:
    """Two or three samples each, with the same scatter whatever the mean."""
    spread = [[-1.0, 1.0], [-1.0, 0.0, 1.0]]
    return [[mean + d for d in spread[i % 2]] for i, mean in enumerate(means)]


CASES = [
    levels
    for n in range(2, 7)
    for levels in combinations_with_replacement((0, 1, 2), n)
    if n < 5 or len(set(levels)) > 1
]


@pytest.mark.parametrize("levels", CASES[::7], ids=str)
def test_what_all_may_read_is_the_same_whatever_the_means(
    tmp_path: Path, levels: Sequence[int]
) -> None:
    rng = np.random.default_rng(len(levels))
    one, other = (
        what_all_may_read(settle(tmp_path, levels, samples_of(rng.normal(size=len(levels)))))
        for _ in range(2)
    )
    assert one == other


def weights_of_estimate(levels: Sequence[int], user: int, s2: float, t2: float) -> np.ndarray:
    """Weights of all users' means in one estimate, by least squares with an unknown mean."""
    n, counts = len(levels), [2 + i % 2 for i in range(len(levels))]
    q = s2 * np.eye(n) + np.diag([t2 / m for m in counts])
    seen = [np.eye(n)[i] for i in range(n) if levels[i] == 2]
    federated = [i for i in range(n) if levels[i] == 1]
    if federated:
        seen.append(np.isin(np.arange(n), federated) / len(federated))
    basis = np.array(seen).T
    form, cross = basis.T @ q @ basis, basis.T @ (s2 * np.eye(n)[user])
    k = len(seen)
    system = np.block([[2 * form, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    weights: np.ndarray = basis @ np.linalg.solve(system, np.append(2 * cross, 1))[:k]
    return weights


@pytest.mark.parametrize("levels", CASES[1::7], ids=str)
def test_a_reply_never_lets_its_user_compute_anothers_mean(
    tmp_path: Path, levels: Sequence[int]
) -> None:
    means = np.random.default_rng(3).normal(size=len(levels))
    settlement = settle(tmp_path, levels, samples_of(means))
    for user, share in enumerate(settlement.parties.values()):
        estimate = share.reply.data["the platform's estimate"]
        if estimate is None:
            continue
        weights = weights_of_estimate(levels, user, 0.5, 2.0)
        assert estimate == pytest.approx(float(weights @ means))
        unknown = [j for j in range(len(levels)) if j != user and abs(weights[j]) > 1e-12]
        # One equation: no mean follows from it where there are two unknown ones.
        assert len(unknown) >= 2


def test_with_two_who_share_each_sees_no_estimate_and_the_platform_all(tmp_path: Path) -> None:
    settlement = settle(tmp_path, (2, 2, 0), samples_of([1.0, 3.0, 9.0]))
    told = [share.reply.data["the platform's estimate"] for share in settlement.parties.values()]
    assert told[:2] == [None, None]
    assert told[2] == pytest.approx(
        float(weights_of_estimate((2, 2, 0), 2, 0.5, 2.0) @ [1.0, 3.0, 9.0])
    )
    assert "withheld" in settlement.parties["u0"].reply.data
    kept = settlement.center["estimates"].rows()["estimate"].to_list()
    assert None not in kept


@pytest.mark.parametrize("direct", [3])
@pytest.mark.parametrize("federated", range(6))
def test_fewer_than_six_federated_users_leave_the_estimated_variances_alone(
    tmp_path: Path, federated: int, direct: int
) -> None:
    levels = [2] * direct + [1] * federated
    means = list(range(direct))
    found = []
    for shift in (0.0, 50.0):
        each = samples_of([*means, *(shift + k for k in range(federated))])
        wide = [[x * (1 + shift) for x in own] for own in each[direct:]]
        settlement = settle(
            tmp_path, levels, [*each[:direct], *wide], s2='"estimate"', t2='"estimate"'
        )
        found.append(what_all_may_read(settlement))
    assert found[0] == found[1]
    assert found[0]["details"]["variances"]["from users"] == direct


def test_an_estimate_of_s2_from_two_users_is_refused(tmp_path: Path) -> None:
    # With k = 2, s2 is (m - m')^2 up to what all know: each user would know the other's mean.
    with pytest.raises(InputError, match="tell each the other's mean"):
        settle(tmp_path, (2, 2, 0), samples_of([0.0, 4.0, 1.0]), s2='"estimate"')


def test_an_estimate_of_s2_counts_as_an_equation(tmp_path: Path) -> None:
    settlement = settle(tmp_path, (2, 2, 2), samples_of([0.0, 4.0, 1.0]), s2='"estimate"')
    told = {share.reply.data["the platform's estimate"] for share in settlement.parties.values()}
    assert told == {None}
    four = settle(tmp_path, (2, 2, 2, 2), samples_of([0.0, 4.0, 1.0, 2.0]), s2='"estimate"')
    assert all(share.reply.data["the platform's estimate"] for share in four.parties.values())


def test_the_folder_keeps_estimates_from_all_but_the_center(tmp_path: Path) -> None:
    from aboveboard.commands import settle as write

    settle(tmp_path, (2, 2, 2, 1), samples_of([0.125, 4.0, 1.0, 2.0]))
    write(ab.load(tmp_path / "c.toml"), tmp_path / "out")
    kept = (tmp_path / "out/center/estimates.csv").read_text().splitlines()
    estimates = [row.rpartition(",")[2] for row in kept[1:]]
    assert kept[0].endswith(",estimate")
    for name in PUBLIC_FILES:
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert not any(x in text for x in estimates)
    reply = json.loads((tmp_path / "out/parties/u0/reply.json").read_text())
    assert str(reply["the platform's estimate"]) == estimates[0]
