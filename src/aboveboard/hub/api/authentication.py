"""Who asks: the organisation whose key signed the request. Rates are limited by key and address."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request

from aboveboard.formatting import format_count
from aboveboard.hub.api.problems import TooLargeError, TooManyRequestsError
from aboveboard.hub.api.rates import RateWindow
from aboveboard.hub.database.engine import read
from aboveboard.hub.home import Hub
from aboveboard.hub.organizations.registry import Organization, find_by_key
from aboveboard.hub.patience import read_in_time
from aboveboard.hub.signatures import (
    RefusedRequestError,
    SignedRequest,
    Target,
    digest_body,
    verify_request,
)


class RateLimits:
    """How often a key, or an address without one, may ask within a minute; per process."""

    def __init__(self, hub: Hub) -> None:
        limits = hub.configuration.limits
        self._members = RateWindow(limits.requests_per_minute)
        self._strangers = RateWindow(limits.strangers_per_minute)

    def count_member(self, key: str) -> None:
        """Raise `TooManyRequestsError` if this key has asked too often."""
        if not self._members.hit(key):
            raise TooManyRequestsError

    def count_stranger(self, request: Request) -> None:
        """Raise `TooManyRequestsError` if this address has asked too often without a key."""
        address = request.client.host if request.client else ""
        if not self._strangers.hit(find_network(address)):
            raise TooManyRequestsError


def find_network(address: str) -> str:
    """Return what is one client: an address, of IPv6 the network of 64 bits that a client has.

    Examples
    --------
    >>> find_network("192.0.2.7"), find_network("2001:db8::1") == find_network("2001:db8::2")
    ('192.0.2.7', True)
    >>> find_network("::ffff:192.0.2.7"), find_network("testclient")
    ('192.0.2.7', 'testclient')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return found.packed[:8].hex()


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    organization
        Whose key it is.
    digest
        The SHA-256 that the signed request states of its body.
    """

    organization: Organization
    digest: str


def get_hub(request: Request) -> Hub:
    """Return the hub that the application serves."""
    hub: Hub = request.app.state.hub
    return hub


TheHub = Annotated[Hub, Depends(get_hub)]


def read_target(request: Request) -> Target:
    """Return what a request is for, as it arrived."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    return Target(
        request.method,
        request.headers.get("host", ""),
        raw.decode("latin-1"),
        request.scope.get("query_string", b"").decode("latin-1"),
    )


def verify_signed(request: Request, hub: TheHub) -> SignedRequest:
    """Return the key that signed the request.

    Raises
    ------
    RefusedRequestError
        If it is not signed as it must be.
    """
    rates: RateLimits = request.app.state.rates
    try:
        return verify_request(read_target(request), request.headers, hub.now)
    except RefusedRequestError:
        rates.count_stranger(request)
        raise


Signed = Annotated[SignedRequest, Depends(verify_signed)]


def identify(request: Request, hub: TheHub, signed: Signed) -> Caller:
    """Return who asks.

    Raises
    ------
    RefusedRequestError
        If the request is not signed, or its key is none of a member.
    """
    rates: RateLimits = request.app.state.rates
    with read(hub.engine) as connection:
        organization = find_by_key(connection, signed.key)
    if organization is None:
        rates.count_stranger(request)
        raise RefusedRequestError("no organisation has this key")
    rates.count_member(signed.key)
    return Caller(organization, signed.digest)


TheCaller = Annotated[Caller, Depends(identify)]


async def read_body(request: Request, hub: TheHub, signed: Signed) -> bytes:
    """Return a small body, which is the one that was signed.

    Raises
    ------
    TooLargeError
        If it is larger than a statement may be.
    TooSlowError
        If it comes too slowly.
    RefusedRequestError
        If it is another one.
    """
    most = hub.configuration.limits.statement_bytes
    parts, size = [], 0
    async for part in read_in_time(request):
        size += len(part)
        if size > most:
            raise TooLargeError(f"the body has more than {format_count(most)} bytes")
        parts.append(part)
    content = b"".join(parts)
    if digest_body(content) != signed.digest:
        raise RefusedRequestError("the body is not the one that was signed")
    return content


Body = Annotated[bytes, Depends(read_body)]
