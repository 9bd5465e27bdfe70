"""Theorems 2 and 3 on mechanisms whose every number is known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from aboveboard.errors import InputError
from papers.learning.conditions import DifferentiablePayment, FloatArray, theorem_2, theorem_3

SIZES = np.linspace(0, 2, 9)
OTHERS = [[0.5], [3.0]]
AMPLE = [[3.0]]
"""The other has more than party 0 could hide: the joint model is always better than its own."""


def joint(sizes: FloatArray) -> FloatArray:
    """Q(s) = s; both are served."""
    return np.repeat(sizes.sum(-1, keepdims=True), 2, axis=-1)


def alone(sizes: FloatArray) -> FloatArray:
    """Party 0 is absent; party 1 trains by itself."""
    x = np.zeros_like(sizes)
    x[..., 1] = sizes[..., 1]
    return x


def value(x: FloatArray, true: FloatArray) -> FloatArray:
    """v_0 = q_0 - q_1 / 2."""
    q = np.maximum(x, true)
    return q[..., 0] - q[..., 1] / 2


def rule(payment: Callable[[FloatArray], FloatArray]) -> DifferentiablePayment:
    return DifferentiablePayment(0, 2, value, joint, alone, payment)


def exploitation(t: FloatArray) -> FloatArray:
    """(t_0 + t_1) / 2 - (t_0 - t_1 / 2) = t_1 - t_0 / 2."""
    return t[..., 1] - t[..., 0] / 2


def gains(
    payment: Callable[[FloatArray], FloatArray], others: list[list[float]]
) -> tuple[float, float]:
    """The most that a lie gains on the grid, and that staying away gains, in plain loops."""
    lie, absence = -np.inf, -np.inf
    for (other,) in others:
        for t in SIZES:
            true = np.array([t, other])
            honest = value(joint(true), true) - payment(true)
            absence = max(absence, value(alone(true), true) - honest)
            for r in SIZES[t >= SIZES]:
                sent = np.array([r, other])
                lie = max(lie, value(joint(sent), true) - payment(sent) - honest)
    return float(lie), float(absence)


def holding(conditions: tuple) -> dict[str, bool]:
    return {c.name: c.holds for c in conditions}


def test_exploitation_payments_meet_theorem_2_and_equation_6_with_equality() -> None:
    first, second = theorem_2(rule(exploitation), SIZES, OTHERS)
    assert first.holds
    assert first.excess == pytest.approx(0, abs=1e-9)
    assert second.holds
    sixth = theorem_3(rule(exploitation), SIZES, OTHERS)[2]
    assert sixth.holds
    assert sixth.excess == pytest.approx(0, abs=1e-9)


def test_where_the_other_has_enough_all_of_theorem_3_holds_and_so_do_ic_and_ir() -> None:
    assert all(c.holds for c in theorem_3(rule(exploitation), SIZES, AMPLE))
    assert max(gains(exploitation, AMPLE)) == pytest.approx(0, abs=1e-12)


def test_equation_5_fails_in_the_papers_own_model_though_the_rule_is_truthful() -> None:
    # With 1/2 of the other, a true size above the report plus 1/2 makes the own model the better.
    found = theorem_3(rule(exploitation), SIZES, [[0.5]])
    assert holding(found) == {"(1)": True, "(5)": False, "(6)": True}
    at = found[1].at
    assert at["true"] > at["report"] + at["others"][0]
    assert found[1].excess == pytest.approx(1.0)
    assert max(gains(exploitation, [[0.5]])) == pytest.approx(0, abs=1e-12)


def test_equations_1_and_2_do_not_suffice() -> None:
    # (2) with equality: p = p(0) + t_0 / 2; what the own data would be worth alone is forgotten.
    def payment(t: FloatArray) -> FloatArray:
        return t[..., 1] + t[..., 0] / 2

    assert all(c.holds for c in theorem_2(rule(payment), SIZES, OTHERS))
    lie, absence = gains(payment, OTHERS)
    assert absence == pytest.approx(2.0)
    assert lie > 0.1
    assert holding(theorem_3(rule(payment), SIZES, AMPLE))["(6)"] is False


@pytest.mark.parametrize(
    ("payment", "broken"),
    [
        (lambda t: t[..., 1] + 0.1, "(1)"),
        (lambda t: 2 * t[..., 0] + t[..., 1], "(2)"),
    ],
)
def test_a_broken_necessary_condition_is_found_and_means_a_loss(
    payment: Callable[[FloatArray], FloatArray], broken: str
) -> None:
    found = holding(theorem_2(rule(payment), SIZES, OTHERS))
    assert found == {"(1)": broken != "(1)", "(2)": broken != "(2)"}
    assert max(gains(payment, OTHERS)) > 0.05


def test_the_counterexample_says_where_and_by_how_much() -> None:
    def payment(t: FloatArray) -> FloatArray:
        return 2 * t[..., 0] + t[..., 1]

    second = theorem_2(rule(payment), SIZES, AMPLE)[1]
    # 2 (t - r) against (t - r) / 2: most from 0 to 2.
    assert second.excess == pytest.approx(3.0)
    assert (second.at["report"], second.at["true"]) == (0.0, 2.0)
    assert second.checks == 45
    assert second.as_dict()["holds"] is False


def test_integrals_of_curved_values_are_within_the_tolerance() -> None:
    # v_0 = exp(q_0): the integral of its derivative is known.
    curved = DifferentiablePayment(
        0,
        2,
        lambda x, t: np.exp(np.maximum(x, t)[..., 0]),
        joint,
        alone,
        lambda t: np.exp(t.sum(-1)) - np.exp(t[..., 0]),
    )
    found = theorem_3(curved, SIZES, AMPLE)
    assert found[2].holds
    assert abs(found[2].excess) < found[2].tolerance


@pytest.mark.parametrize(
    ("sizes", "others", "said"),
    [
        ([0.5, 1], [[1]], "not a grid"),
        ([0, 1, 1], [[1]], "not a grid"),
        ([0, 1], [[1, 2]], "shape"),
        ([0, 1], [[-1]], "0 or more"),
    ],
)
def test_a_grid_that_is_none_is_refused(sizes: list, others: list, said: str) -> None:
    with pytest.raises(InputError, match=said):
        theorem_2(rule(exploitation), sizes, others)
