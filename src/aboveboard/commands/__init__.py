"""What the commands do, for Python as for the command line; text of results is in `text`."""

from aboveboard.commands.audited import Audit, audited
from aboveboard.commands.choices import Chosen, chosen, described, write_starting_file
from aboveboard.commands.demonstration import Demonstration, demo
from aboveboard.commands.properties import PROPERTIES, properties_named, property_named
from aboveboard.commands.reproduction import (
    Reproduced,
    Reproduction,
    figure_of,
    reproduction_of,
)
from aboveboard.commands.running import designed, drawn, settle

__all__ = [
    "PROPERTIES",
    "Audit",
    "Chosen",
    "Demonstration",
    "Reproduced",
    "Reproduction",
    "audited",
    "chosen",
    "demo",
    "described",
    "designed",
    "drawn",
    "figure_of",
    "properties_named",
    "property_named",
    "reproduction_of",
    "settle",
    "write_starting_file",
]
