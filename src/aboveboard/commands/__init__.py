"""What the commands do, for Python as for the command line; `aboveboard.cli` prints it."""

from aboveboard.commands.auditing import AuditReport, audit_collaboration
from aboveboard.commands.demonstration import Demonstration, demo
from aboveboard.commands.properties import PROPERTIES, parse_properties, parse_property
from aboveboard.commands.recommending import Recommendation, describe_mechanism, recommend
from aboveboard.commands.running import RunReport, design, run_collaboration, settle
from aboveboard.commands.starting import write_starting_file

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
