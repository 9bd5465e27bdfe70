"""The desk: a member's own pages, on its own machine.

From the invitation to the verified reply, in a browser, with the same functions as the command
line: `hub.members` and `commands.rounds` do the work, and all cryptography runs here. Needs nothing
but the core. `docs/how-to/desk.md` shows every page.
"""

from aboveboard.desk.application import DeskApplication
from aboveboard.desk.member import Desk
from aboveboard.desk.serving import DeskServer, serve_desk

__all__ = ["Desk", "DeskApplication", "DeskServer", "serve_desk"]
