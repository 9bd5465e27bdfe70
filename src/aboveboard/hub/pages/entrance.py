"""What strangers see: the first page, log-in and log-out, and where an invitation leads."""

from __future__ import annotations

import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from aboveboard.hub.api.authentication import RateLimits
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub
from aboveboard.hub.pages import operators, own
from aboveboard.hub.pages.security import (
    ForeignFormError,
    is_encrypted,
    name_cookie,
    read_form,
    secure,
    set_cookie,
)
from aboveboard.hub.pages.sessions import (
    SESSION_SECONDS,
    close_session,
    find_link,
    find_viewer,
    is_form_token,
    open_session,
)
from aboveboard.hub.pages.visits import KNOWN, Visit, explain, render_problem
from aboveboard.report.templates import read_stylesheet

_SPENT = "the link is unknown, spent or too old"
_NEW_LINK = "make a new one: aboveboard login"


def show_first(visit: Visit) -> Response:
    """Return the first page: collaborations, the operator's board, or how to log in."""
    if visit.viewer is None:
        return visit.render("login", link=None, fingerprint=visit.hub.fingerprint)
    if visit.viewer.is_operator:
        return operators.show_board(visit)
    return own.show_collaborations(visit)


def show_join(visit: Visit) -> Response:
    """Return what to do with an invitation that was opened in a browser.

    What stands behind its "#" did not reach us: the page cannot spend it.
    """
    return visit.render("join", fingerprint=visit.hub.fingerprint)


def show_link(visit: Visit) -> Response:
    """Return the page that asks before a log-in link is spent: programs open links, too."""
    token = visit.request.query_params.get("token", "")
    if not token:
        return visit.render("login", link=None, fingerprint=visit.hub.fingerprint)
    found = find_link(visit.hub, token)
    if found is None:
        return render_problem(visit.hub, visit.request, 404, _SPENT, _NEW_LINK)
    link = {"token": token, "name": found.name}
    return visit.render("login", link=link, fingerprint=visit.hub.fingerprint)


async def log_in(request: Request) -> Response:
    """Spend a link, and let the browser keep the session."""
    hub: Hub = request.app.state.hub
    rates: RateLimits = request.app.state.rates
    try:
        form = await read_form(request)
        found = await run_in_threadpool(open_session, hub, form.get("token", ""))
        if found is None:
            rates.count_stranger(request)
            return render_problem(hub, request, 404, _SPENT, _NEW_LINK)
    except KNOWN as error:
        return explain(hub, request, error, None)
    token, _ = found
    response = RedirectResponse("/", 303)
    set_cookie(hub, request.headers.get("host", ""), response, token, SESSION_SECONDS)
    return secure(response, transport=is_encrypted(hub))


async def log_out(request: Request) -> Response:
    """End the session; only a page of this session can ask for it."""
    hub: Hub = request.app.state.hub
    host = request.headers.get("host", "")
    try:
        form = await read_form(request)
        token = request.cookies.get(name_cookie(hub, host), "")
        await run_in_threadpool(_end, hub, token, form.get("form", ""))
    except KNOWN as error:
        return explain(hub, request, error, None)
    response = RedirectResponse("/", 303)
    set_cookie(hub, host, response, "", 0)
    return secure(response, transport=is_encrypted(hub))


def _end(hub: Hub, token: str, form: str) -> None:
    """End a session.

    Raises
    ------
    ForeignFormError
        If the form is not of this session.
    """
    with read(hub.engine) as connection:
        viewer = find_viewer(connection, hub, token)
    if viewer is None:
        return
    if not is_form_token(hub, viewer, form):
        raise ForeignFormError("the form is not of this session")
    close_session(hub, viewer)


def send_style(request: Request) -> Response:
    """Return the style of all pages; its name changes with it, so that browsers may keep it."""
    name, content = read_stylesheet()
    if not secrets.compare_digest(request.path_params["name"].encode(), name.encode()):
        return PlainTextResponse("there is no such file\n", 404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type="text/css", headers=headers)
