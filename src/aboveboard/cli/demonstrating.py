"""What `aboveboard hub demo` shows on a terminal: the operator's board and one desk."""

from __future__ import annotations

import contextlib
import threading

from aboveboard.cli.hub import describe_demonstration
from aboveboard.cli.layout import print_text
from aboveboard.desk.member import Desk
from aboveboard.desk.serving import DeskServer, open_privately
from aboveboard.hub.demonstration import Audience, HubDemonstration, Scene
from aboveboard.hub.pages.sessions import make_operator_link


class Onlooker(Audience):
    """Prints where board and desk are, opens both, and waits for Ctrl-C at the end."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def begin(self, scene: Scene) -> None:
        """Serve a desk for the first member, and open it beside the operator's board."""
        name, home = min(scene.homes.items())
        server = DeskServer(Desk(home))
        server.begin()
        self._stack.callback(server.close)
        board = make_operator_link(scene.hub, scene.address)
        print_text(f"the operator's board: {board}\nthe desk of {name}: {server.link}\n")
        print_text("five members hold a round now; load the pages again to follow it")
        for link in (board, server.link):
            self._stack.enter_context(open_privately(link))

    def end(self, result: HubDemonstration) -> None:
        """Print what came out, and wait."""
        print_text(f"\n{describe_demonstration(result)}\n\nthe pages stay until Ctrl-C")
        with self._stack, contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
