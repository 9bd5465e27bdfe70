"""Claims and figures of "Data Curation from Privacy-Aware Agents", as checks that run."""

from __future__ import annotations

from papers.curation import dynamics, existence, footnotes, information, mixed, uniqueness

CLAIMS = (
    *information.CLAIMS,
    *uniqueness.CLAIMS,
    *footnotes.CLAIMS,
    *existence.CLAIMS,
    *mixed.CLAIMS,
)
"""Roughly in the order of the paper."""

FIGURES = dynamics.FIGURES
