"""What the commands do, for Python as for the command line; `aboveboard.cli` prints it."""

from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.commands.choosing import (
    Recommendation,
    describe_mechanism,
    recommend,
    write_starting_file,
)
from aboveboard.commands.demonstration import Demonstration, demo
from aboveboard.commands.properties import PROPERTIES, parse_properties, parse_property
from aboveboard.commands.running import design, run_and_draw, settle

__all__ = [
    "PROPERTIES",
    "AuditReport",
    "Demonstration",
    "Recommendation",
    "audit_collaboration",
    "demo",
    "describe_mechanism",
    "design",
    "parse_properties",
    "parse_property",
    "recommend",
    "run_and_draw",
    "settle",
    "write_starting_file",
]
