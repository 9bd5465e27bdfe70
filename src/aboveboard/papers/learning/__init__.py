"""Claims and figures of "Mechanism Design for Multi-Party Machine Learning"."""

from __future__ import annotations

from aboveboard.papers.learning import (
    algorithm,
    budgets,
    experiments,
    exploitation,
    figure_1,
    figure_2,
    figure_3,
    general,
    growth,
)

CLAIMS = (
    *exploitation.CLAIMS,
    *budgets.CLAIMS,
    *general.CLAIMS,
    *growth.CLAIMS,
    *algorithm.CLAIMS,
    *experiments.CLAIMS,
)
"""Roughly in the order of the paper."""

FIGURES = (*figure_1.FIGURES, *figure_2.FIGURES, *figure_3.FIGURES)
