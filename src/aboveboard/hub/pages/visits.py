"""A visit: one request for a page, who makes it, and the page that answers it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from aboveboard._version import __version__
from aboveboard.errors import InputError
from aboveboard.hub.api.authentication import RateLimits
from aboveboard.hub.api.problems import TooLargeError, TooManyRequestsError
from aboveboard.hub.collaborations.logs import NoCollaborationError
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub
from aboveboard.hub.pages.parts import PartCache
from aboveboard.hub.pages.rule_book import RuleBook
from aboveboard.hub.pages.security import (
    ForeignFormError,
    is_encrypted,
    name_cookie,
    secure,
)
from aboveboard.hub.pages.sessions import Viewer, derive_form_token, find_viewer
from aboveboard.report.templates import load_template, read_stylesheet

logger = logging.getLogger(__name__)

_TELL = "tell the operator"

MEMBERS_LINKS = (("/", "My collaborations"), ("/keys", "Keys"))
OPERATORS_LINKS = (("/", "Board"), ("/collaborations", "Collaborations"), ("/keys", "Keys"))


@dataclass(frozen=True)
class Visit:
    """A request for a page.

    Parameters
    ----------
    hub
        The hub.
    request
        The request.
    connection
        A transaction that reads.
    viewer
        Who asks; None: a stranger.
    """

    hub: Hub
    request: Request
    connection: Connection
    viewer: Viewer | None

    @property
    def reader(self) -> Viewer:
        """Who asks, on pages that strangers do not see."""
        assert self.viewer is not None
        return self.viewer

    @property
    def rules(self) -> RuleBook:
        """What is known of rules."""
        book: RuleBook = self.request.app.state.rules
        return book

    @property
    def parts(self) -> PartCache:
        """Parts of pages that cannot change."""
        cache: PartCache = self.request.app.state.parts
        return cache

    def read_query(self, name: str) -> str:
        """Return what the address asks for, such as where a list goes on; empty: nothing."""
        if not self.request.scope["query_string"]:
            return ""
        return self.request.query_params.get(name, "")

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page made from a template of the folder `hub`."""
        return render(self.hub, self.request, self.viewer, template, status, **values)


View = Callable[..., Response]

FEW_THREADS, MANY_THREADS = 4, 16
"""Pages that are made at once: few where the database is a file, many where it is elsewhere.

SQLite lets another thread run at each of its steps, and one that does waits until the others let it
go on: with 16 of them a page of four queries took half as long again, and a tenth more memory.
"""


def make_threads(hub: Hub) -> ThreadPoolExecutor:
    """Return the threads in which pages are made, so that the server goes on meanwhile."""
    most = FEW_THREADS if hub.engine.dialect.name == "sqlite" else MANY_THREADS
    return ThreadPoolExecutor(most, thread_name_prefix="page")


def render(
    hub: Hub, request: Request, viewer: Viewer | None, template: str, status: int, **values: Any
) -> Response:
    """Return a page."""
    links: tuple[tuple[str, str], ...] = ()
    if viewer is not None:
        links = OPERATORS_LINKS if viewer.is_operator else MEMBERS_LINKS
    text = load_template(f"hub/{template}.html.jinja").render(
        root="",
        site=hub.configuration.name,
        style=read_stylesheet()[0],
        version=__version__,
        links=links,
        here=request.scope["path"],
        viewer=viewer,
        form_token="" if viewer is None else derive_form_token(hub, viewer),
        now=hub.now,
        **values,
    )
    return secure(HTMLResponse(text, status), transport=is_encrypted(hub))


def render_problem(
    hub: Hub, request: Request, status: int, problem: str, remedy: str, viewer: Viewer | None = None
) -> Response:
    """Return a page that says what is wrong."""
    return render(hub, request, viewer, "problem", status, problem=problem, remedy=remedy)


class Endpoint:
    """What answers requests with a view: an application of its own, which Starlette wraps no more.

    Parameters
    ----------
    view
        Makes the page from a `Visit` and the parts of the path.
    open_to_all
        Whether strangers see the page, too.
    """

    def __init__(self, view: View, *, open_to_all: bool = False) -> None:
        self._make = partial(_answer, view, open_to_all=open_to_all)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        threads: ThreadPoolExecutor = request.app.state.page_threads
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(threads, self._make, request)
        await response(scope, receive, send)


def _answer(view: View, request: Request, *, open_to_all: bool) -> Response:
    """Return a view's page, or one that says why there is none."""
    hub: Hub = request.app.state.hub
    rates: RateLimits = request.app.state.rates
    viewer: Viewer | None = None
    try:
        token = request.cookies.get(name_cookie(hub, request.headers.get("host", "")))
        with read(hub.engine) as connection:
            if token:
                viewer = find_viewer(connection, hub, token)
            if viewer is not None:
                rates.count_member(f"pages {viewer.signing}")  # however many sessions it opens
            elif token or not open_to_all:
                rates.count_stranger(request)
            if viewer is None and not open_to_all:
                return _refuse_stranger(hub, request)
            return view(Visit(hub, request, connection, viewer), **request.path_params)
    except KNOWN as error:
        return explain(hub, request, error, viewer)
    except Exception:
        logger.exception("a page failed")
        return render_problem(hub, request, 500, "this is a defect of the hub", _TELL, viewer)


def _refuse_stranger(hub: Hub, request: Request) -> Response:
    response = render(hub, request, None, "login", 401, link=None, fingerprint=hub.fingerprint)
    response.headers["WWW-Authenticate"] = "Signature"
    return response


KNOWN = (
    NoCollaborationError,
    TooManyRequestsError,
    TooLargeError,
    ForeignFormError,
    InputError,
    OperationalError,
)


def explain(hub: Hub, request: Request, error: Exception, viewer: Viewer | None) -> Response:
    """Return the page for an error that is no defect."""
    if isinstance(error, NoCollaborationError):
        status, problem, remedy = 404, "there is nothing here for you", "see your collaborations"
    elif isinstance(error, TooManyRequestsError):
        status, problem, remedy = 429, "you ask too often", "wait a minute"
    elif isinstance(error, TooLargeError):
        status, problem, remedy = 413, "this is too large", "send less"
    elif isinstance(error, ForeignFormError):
        status, problem, remedy = 403, str(error), "open the page once more, and use its own button"
    elif isinstance(error, InputError):
        status, problem, remedy = 422, f"{error.place}: {error.problem}", error.remedy
    else:
        status, problem, remedy = 503, "the database does not answer", "try again later"
    return render_problem(hub, request, status, problem, remedy, viewer)
