"""The protocols that the paper compares; the product has more."""

from __future__ import annotations

from collections.abc import Mapping

from aboveboard.curation import PROTOCOLS as ALL
from aboveboard.curation.protocols import Protocol

PROTOCOLS: Mapping[str, Protocol] = {
    name: ALL[name]
    for name in (
        "competitive",
        "indicator",
        "fair",
        "straightforward",
        "always-all",
        "always-noise",
    )
}
