"""What the commands do, for Python as for the command line; `aboveboard.cli` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aboveboard.lazy_names import load_name

if TYPE_CHECKING:
    from aboveboard.commands.auditing import AuditReport, audit_collaboration
    from aboveboard.commands.demonstration import Demonstration, demo
    from aboveboard.commands.properties import PROPERTIES, parse_properties, parse_property
    from aboveboard.commands.recommending import Recommendation, describe_mechanism, recommend
    from aboveboard.commands.running import RunReport, design, run_collaboration, settle
    from aboveboard.commands.starting import write_starting_file

# Name to module: loaded when first used, so that a small run imports what it needs.
_FACE = {
    "AuditReport": "aboveboard.commands.auditing",
    "Demonstration": "aboveboard.commands.demonstration",
    "PROPERTIES": "aboveboard.commands.properties",
    "Recommendation": "aboveboard.commands.recommending",
    "RunReport": "aboveboard.commands.running",
    "audit_collaboration": "aboveboard.commands.auditing",
    "demo": "aboveboard.commands.demonstration",
    "describe_mechanism": "aboveboard.commands.recommending",
    "design": "aboveboard.commands.running",
    "parse_properties": "aboveboard.commands.properties",
    "parse_property": "aboveboard.commands.properties",
    "recommend": "aboveboard.commands.recommending",
    "run_collaboration": "aboveboard.commands.running",
    "settle": "aboveboard.commands.running",
    "write_starting_file": "aboveboard.commands.starting",
}

__all__ = [
    "PROPERTIES",
    "AuditReport",
    "Demonstration",
    "Recommendation",
    "RunReport",
    "audit_collaboration",
    "demo",
    "describe_mechanism",
    "design",
    "parse_properties",
    "parse_property",
    "recommend",
    "run_collaboration",
    "settle",
    "write_starting_file",
]


def __getattr__(name: str) -> Any:
    return load_name(__name__, _FACE, name)
