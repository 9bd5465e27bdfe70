"""What the commands do, for Python as for the command line; `aboveboard.cli` prints it."""

from aboveboard.commands.audited import Audit, audited
from aboveboard.commands.choosing import Chosen, chosen, described, write_starting_file
from aboveboard.commands.demonstration import Demonstration, demo
from aboveboard.commands.properties import PROPERTIES, properties_named, property_named
from aboveboard.commands.running import designed, drawn, settle

__all__ = [
    "PROPERTIES",
    "Audit",
    "Chosen",
    "Demonstration",
    "audited",
    "chosen",
    "demo",
    "described",
    "designed",
    "drawn",
    "properties_named",
    "property_named",
    "settle",
    "write_starting_file",
]
