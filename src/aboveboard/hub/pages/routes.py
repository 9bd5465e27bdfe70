"""Which page is where. `tests/hub/pages` asks for every one of them as everybody."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route

from aboveboard.hub.home import Hub
from aboveboard.hub.pages import entrance, operators, own
from aboveboard.hub.pages.collaborations import (
    send_terms,
    show_audit,
    show_entry,
    show_log,
    show_overview,
    show_result,
    show_terms,
)
from aboveboard.hub.pages.log_in import router
from aboveboard.hub.pages.parts import PartCache
from aboveboard.hub.pages.rule_book import RuleBook
from aboveboard.hub.pages.visits import Endpoint, make_threads

COLLABORATION = "/collaborations/{identifier:str}"

OPEN = (("/", entrance.show_first), ("/login", entrance.show_link), ("/join", entrance.show_join))
"""Pages that strangers see, too."""

SHOWN = (
    ("/keys", own.show_keys),
    ("/collaborations", operators.show_collaborations),
    (COLLABORATION, show_overview),
    (f"{COLLABORATION}/terms", show_terms),
    (f"{COLLABORATION}/terms.json", send_terms),
    (f"{COLLABORATION}/audit", show_audit),
    (f"{COLLABORATION}/result", show_result),
    (f"{COLLABORATION}/log", show_log),
    (f"{COLLABORATION}/log/{{index:str}}", show_entry),
)
"""Pages that need a session."""


def install_pages(app: FastAPI, hub: Hub) -> None:
    """Let the application answer with pages, too."""
    app.state.rules = RuleBook(hub.folder)
    app.state.parts = PartCache()
    app.state.page_threads = make_threads(hub)
    app.include_router(router)
    # First, since routes are tried in their order, and the API has many.
    app.router.routes[:0] = [
        *(Route(path, Endpoint(view, open_to_all=True), methods=["GET"]) for path, view in OPEN),
        *(Route(path, Endpoint(view), methods=["GET"]) for path, view in SHOWN),
        Route("/login", entrance.log_in, methods=["POST"]),
        Route("/logout", entrance.log_out, methods=["POST"]),
        Route("/static/{name:str}", entrance.send_style),
    ]
