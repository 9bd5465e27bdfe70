"""Organisations: who they are, their keys, and the one-time links that register them."""

from aboveboard.hub.organizations.invitations import (
    Invitation,
    accept_invitation,
    invite,
    invite_again,
)
from aboveboard.hub.organizations.registry import Organization, find_by_key, find_keys

__all__ = [
    "Invitation",
    "Organization",
    "accept_invitation",
    "find_by_key",
    "find_keys",
    "invite",
    "invite_again",
]
