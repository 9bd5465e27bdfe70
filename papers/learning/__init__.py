"""Claims and figures of "Mechanism Design for Multi-Party Machine Learning"."""

from __future__ import annotations

from papers.learning import (
    algorithm,
    boundary,
    budgets,
    exploitation,
    figure_1,
    figure_2,
    figure_3,
    general,
    growth,
    many_parties,
    newcomers,
    opponents,
)

CLAIMS = (
    *exploitation.CLAIMS,
    *budgets.CLAIMS,
    *general.CLAIMS,
    *growth.CLAIMS,
    *boundary.CLAIMS,
    *algorithm.CLAIMS,
    *many_parties.CLAIMS,
    *opponents.CLAIMS,
    *newcomers.CLAIMS,
)
"""Roughly in the order of the paper."""

FIGURES = (*figure_1.FIGURES, *figure_2.FIGURES, *figure_3.FIGURES)
