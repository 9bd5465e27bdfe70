"""Who may talk to the desk: the browser that has its link, on this machine, from its own pages.

Three checks, each enough against its own attack. The path begins with a secret that only the link
has: other users of this machine, and programs behind other ports, do not know it; a cookie would be
sent to them, since cookies do not know ports. The Host header must be this machine's: a name that
an attacker points to 127.0.0.1 is refused. And whatever another site starts is refused, except a
click that opens a page.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Mapping
from typing import Any

HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    # Not "no-referrer": a browser would then hide from us that our own forms are ours.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cache-Control", "no-store"),
)
"""What every answer says to the browser."""


class RefusedVisitError(Exception):
    """Raised when a request is not for this desk, or not from its member's browser.

    Parameters
    ----------
    status
        Of HTTP.
    problem
        What is wrong; nothing of the desk is told.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status, self.problem = status, problem


class DeskGuard:
    """The checks of one desk.

    Parameters
    ----------
    hosts
        Values of the Host header that are its.
    """

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = frozenset(hosts)
        self.token = secrets.token_urlsafe(32)

    @property
    def root(self) -> str:
        """What every path begins with."""
        return f"/{self.token}"

    def check(self, environ: Mapping[str, Any]) -> str:
        """Return the rest of the path of a request that may pass.

        Raises
        ------
        RefusedVisitError
            If it may not.
        """
        host = str(environ.get("HTTP_HOST", "")).lower()
        if host not in self._hosts:
            raise RefusedVisitError(421, "this desk has another address")
        _, _, path = str(environ.get("PATH_INFO", "")).partition("/")
        token, _, rest = path.partition("/")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
            raise RefusedVisitError(403, "open the desk by the link that your terminal shows")
        self._refuse_foreign(environ, host)
        return f"/{rest}"

    def _refuse_foreign(self, environ: Mapping[str, Any], host: str) -> None:
        """Raise `RefusedVisitError` for what another site starts."""
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        reads = environ.get("REQUEST_METHOD") in ("GET", "HEAD")
        if reads:
            opens = environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
            if site not in (None, "none", "same-origin") and not opens:
                raise RefusedVisitError(403, "another site asks for it")
            return
        if site not in (None, "same-origin"):
            raise RefusedVisitError(403, "another site sent it")
        if origin is not None:
            # As text: there are origins that no parser of addresses takes.
            if str(origin).lower() != f"http://{host}":
                raise RefusedVisitError(403, "another site sent it")
        elif site is None:
            raise RefusedVisitError(403, "the browser does not say which page sent it")
