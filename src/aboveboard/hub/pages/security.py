"""What browsers are told, and what forms must show: headers, the cookie, the origin of a form."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from aboveboard.formatting import format_count
from aboveboard.hub.api.problems import TooLargeError
from aboveboard.hub.home import Hub
from aboveboard.hub.patience import read_in_time

MOST_FORM = 4096
"""Bytes of a form: a token or two."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # Not "no-referrer": a browser would then hide from us that our own forms are ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
"""Encoded once: every page has them."""


class ForeignFormError(Exception):
    """Raised when a form was not sent by a page of ours."""


def secure(response: Response, *, transport: bool) -> Response:
    """Return a page's response with its headers.

    Parameters
    ----------
    response
        The page.
    transport
        Whether the hub is reached over TLS: browsers then keep to it.
    """
    response.raw_headers += _RAW_HEADERS
    if transport:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def is_encrypted(hub: Hub) -> bool:
    """Return whether members reach the hub over TLS."""
    return hub.configuration.address.startswith("https://")


def name_cookie(hub: Hub, host: str) -> str:
    """Return the name of the session's cookie.

    With TLS no other host and no other path can set it. On this machine, where cookies do not
    know ports, the name holds the port, so that two hubs do not take each other's.
    """
    if is_encrypted(hub):
        return "__Host-aboveboard"
    return _name_local_cookie(host)


@lru_cache(maxsize=64)
def _name_local_cookie(host: str) -> str:
    return f"aboveboard-hub-{urlsplit(f'//{host}').port or 80}"


def set_cookie(hub: Hub, host: str, response: Response, token: str, seconds: int) -> None:
    """Let a browser keep a session's token; 0 seconds: let it forget it."""
    response.set_cookie(
        name_cookie(hub, host),
        token,
        max_age=seconds,
        path="/",
        secure=is_encrypted(hub),
        httponly=True,
        samesite="lax",
    )


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a small form that a page of this hub has sent.

    Raises
    ------
    ForeignFormError
        If another site sent it, or it is not a form.
    TooLargeError
        If it is larger than our forms are.
    TooSlowError
        If it comes too slowly.
    """
    refuse_foreign(request)
    if request.headers.get("content-type", "").partition(";")[0] != (
        "application/x-www-form-urlencoded"
    ):
        raise ForeignFormError("it is not a form of ours")
    content = bytearray()
    async for part in read_in_time(request):
        content += part
        if len(content) > MOST_FORM:
            raise TooLargeError(f"the form has more than {format_count(MOST_FORM)} bytes")
    try:
        found = parse_qs(content.decode("ascii"), max_num_fields=8)
    except ValueError as error:
        raise ForeignFormError("it is not a form of ours") from error
    return {name: values[0] for name, values in found.items()}


def refuse_foreign(request: Request) -> None:
    """Raise `ForeignFormError` unless the browser says that a page of this hub sent the form."""
    host = request.headers.get("host", "").lower()
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin"):
        raise ForeignFormError("another site sent it")
    if origin is not None:
        # As text: there are origins that no parser of addresses takes.
        if origin.lower() not in (f"http://{host}", f"https://{host}"):
            raise ForeignFormError("another site sent it")
    elif site is None:
        raise ForeignFormError("the browser does not say which page sent it")
