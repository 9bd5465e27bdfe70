"""Claims and figures of "The Fair Value of Data Under Heterogeneous Privacy Constraints"."""

from __future__ import annotations

from papers.valuation import (
    assumptions,
    examples,
    federated_payments,
    federation,
    figure_5,
    figure_6,
    figure_7,
    gamma,
    regimes,
    section_5_1,
    shares,
    study,
    uniqueness,
    unlike,
    weights,
)

CLAIMS = (
    *shares.CLAIMS,
    *uniqueness.CLAIMS,
    *examples.CLAIMS,
    *federation.CLAIMS,
    *weights.CLAIMS,
    *federated_payments.CLAIMS,
    *study.CLAIMS,
    *assumptions.CLAIMS,
    *gamma.CLAIMS,
    *regimes.CLAIMS,
    *section_5_1.CLAIMS,
    *unlike.CLAIMS,
)
"""Roughly in the order of the paper."""

FIGURES = (*figure_5.FIGURES, *figure_6.FIGURES, *figure_7.FIGURES)
