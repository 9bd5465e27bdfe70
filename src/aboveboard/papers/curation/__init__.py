"""Claims and figures of "Data Curation from Privacy-Aware Agents", as checks that run."""

from __future__ import annotations

from aboveboard.papers.curation import dynamics, existence, information, uniqueness

CLAIMS = (*information.CLAIMS, *uniqueness.CLAIMS, *existence.CLAIMS)
"""Roughly in the order of the paper."""

FIGURES = dynamics.FIGURES
