"""Rounds between organisations in plain words, for the hub's pages, the desk and the terminal."""

from aboveboard.report.rounds.entries import describe_entry
from aboveboard.report.rounds.progress import ProgressTable, list_stations, tabulate_members
from aboveboard.report.rounds.shares import SharesTable, describe_shares
from aboveboard.report.rounds.steps import (
    MemberStep,
    describe_deadline,
    describe_state,
    describe_step,
)
from aboveboard.report.rounds.terms import (
    Section,
    compare_sections,
    describe_terms,
    find_terms,
    list_promises,
)

__all__ = [
    "MemberStep",
    "ProgressTable",
    "Section",
    "SharesTable",
    "compare_sections",
    "describe_deadline",
    "describe_entry",
    "describe_shares",
    "describe_state",
    "describe_step",
    "describe_terms",
    "find_terms",
    "list_promises",
    "list_stations",
    "tabulate_members",
]
