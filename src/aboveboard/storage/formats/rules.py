"""Rules that name domains: of ad blockers, of dnsmasq, unbound, BIND, and policy zones.

Of a rule the names are meant, if it says nothing else. Cost: a microsecond or two a line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from aboveboard.storage.kinds import normalize

SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "0"})
"""Addresses to which most hosts files send the names that they block."""

OWN_ADDRESS = "127.0.1.1"
"""What Debian's hosts files call the machine by."""

BARE_RULES = (
    r"^\|\|([0-9A-Za-z_.-]+)\^$",
    r"^(?:address|server|local)=/([0-9A-Za-z_.-]+)/$",
    r"^address=/([0-9A-Za-z_.-]+)/(?:0\.0\.0\.0|127\.0\.0\.1|::|#)$",
    r'^[ \t]*local-zone:[ \t]*"([0-9A-Za-z_.-]+)"[ \t]+'
    r'"?(?:always_(?:nxdomain|null|refuse)|redirect|static)"?$',
)
"""Rules that block one name and say nothing else, as most lists write them."""

_adblock = re.compile(r"(@@)?\|\|([^\^$/|*]+)\^(\|)?(\$.*)?")
_header = re.compile(r"\[Adblock[^\]]*\]$")
_cosmetic = re.compile(r"#[@?$%]*#")
_dnsmasq = re.compile(r"(address|server|local)=/([^#]+)/([^/\s]*)")
_unbound = re.compile(
    r'local-zone:\s*"?([^"\s]+)"?\s+'
    r'"?(?:redirect|always_(?:nxdomain|nodata|refuse|deny|null)|refuse|static|deny|inform_\w+)"?'
)
_unbound_data = re.compile(
    r"""local-data:\s*["'](\S+)\s+(?:\d+\s+)?(?:IN\s+)?(?:A|AAAA)\s+(\S+)["']""", re.IGNORECASE
)
_bind = re.compile(r'zone\s+(?:"([^"]+)".*|([^"\s]+)\s+(?:(?i:IN)\s+)?\{.*)')
_served_elsewhere = re.compile(
    r"\btype\s+(?:forward|hint|slave|secondary|stub|static-stub|delegation-only)\b"
)
_bind_setting = re.compile(
    r"\}\s*;?|(?:type|file|notify|masters|primaries|allow-[a-z-]+|check-names|zone-statistics|forward"
    r"|forwarders|database|include|view|options|response-policy|match-clients|recursion)\b.*[;{}]"
)
_settings = re.compile(
    r"(?:local-zone|local-data|local-data-ptr|server|python|forward-zone):(?:\s|$)"
    r"|(?:address|server|local|ipset|nftset)=/|\$(?:TTL|ORIGIN|INCLUDE)\s"
)
_rpz = re.compile(
    r"(\S+)\s+(?:\d+\s+)?(?:IN\s+)?CNAME\s+(?:\.|rpz-(?!passthru|tcp-only)\S+|(?!rpz-)\S+\.)",
    re.IGNORECASE,
)
_address_record = re.compile(
    r"(\S+)\s+(?:\d+\s+)?(?:IN\s+)?(?:A|AAAA)\s+([0-9A-Fa-f.:]+)", re.IGNORECASE
)
_trigger = re.compile(r"\.rpz-(?:ip|client-ip|nsip|nsdname)\.?$", re.IGNORECASE)
_record = re.compile(r"(?:\S+\s+)?(?:\d+\s+)?(?:IN\s+)?(?:SOA|NS|CNAME)\s", re.IGNORECASE)
_zone_start = re.compile(r"(\S+)\s+(?:\d+\s+)?(?:IN\s+)?SOA\s", re.IGNORECASE)
_origin = re.compile(r"\$ORIGIN\s+(\S+)", re.IGNORECASE)
_zone_number = re.compile(r"\(|(?:\d+[smhdw]?)?\s*\)?", re.IGNORECASE)


class Rule(NamedTuple):
    """What a rule says: the names that are meant, and whether it blocks them.

    Where it says more than names, or the contrary, it has none.
    """

    names: list[str]
    blocks: bool = True


@lru_cache(maxsize=1 << 12)
def is_sink(address: str) -> bool:
    """Return whether a name that is sent to an address is blocked: it leads to no other machine.

    Examples
    --------
    >>> is_sink("0.0.0.0"), is_sink("0:0:0:0:0:0:0:1"), is_sink("192.0.2.1"), is_sink("127.0.1.1")
    (True, True, False, False)
    """
    if address in SINKS:
        return True
    try:
        found = ip_address(normalize(address, "address") or "")
    except ValueError:
        return False
    return str(found) != OWN_ADDRESS and (found.is_loopback or found.is_unspecified)


class RuleReader:
    """Reads rules one after the other: some lines say what others mean.

    A zone's own name stands at the end of the whole names in it. After the header of an ad
    blocker's list what is no name is a pattern, and in a zone a lone number belongs to the record
    that opens it.
    """

    def __init__(self) -> None:
        self.zone = ""
        self.origins: list[str] = []
        self._in_zone = self._in_filters = False

    def look_at_comment(self, line: str) -> None:
        """Learn from a line that holds no rule what others are."""
        self._in_filters |= _header.match(line) is not None

    def read(self, line: str) -> Rule | None:
        """Return what a rule says, None where the line is not a rule."""
        bare = re.sub(r"\s[#;].*$", "", line)
        if found := _adblock.fullmatch(line):
            return Rule([] if found[1] or found[3] or found[4] else [found[2]])
        if found := _dnsmasq.fullmatch(bare):
            # A server `#` is the usual one: that is an exception.
            allowed = found[1] != "address" and found[3] == "#"
            blocks = not found[3] or (
                found[1] == "address" and (found[3] == "#" or is_sink(found[3]))
            )
            return Rule([] if allowed else found[2].split("/"), blocks)
        if found := _unbound_data.fullmatch(bare):
            return Rule([found[1]] if is_sink(found[2]) else [])
        if found := _unbound.fullmatch(bare):
            return Rule([found[1]])
        if found := _bind.fullmatch(line):
            return Rule([] if _served_elsewhere.search(line) else [found[1] or found[2]])
        return self._read_record(line, bare) or self._read_other(line, bare)

    def _read_record(self, line: str, bare: str) -> Rule | None:
        """Return what a line of a zone says."""
        if found := _origin.match(line):
            self._in_zone = True
            name = found[1].lower()
            if name not in (".", *self.origins):
                self.origins.append(name)
            self._name_zone(name)
            return Rule([])
        if found := _zone_start.match(line):
            self._in_zone = True
            self._name_zone(found[1].lower())
            return Rule([])
        if found := _address_record.fullmatch(bare):
            return Rule([self._leave_zone(found[1])], is_sink(found[2]))
        if found := _rpz.fullmatch(bare):
            # Rules for addresses and for name servers are written as names, and are none.
            name = self._leave_zone(found[1])
            return Rule([] if _trigger.search(name) else [name])
        return None

    def _read_other(self, line: str, bare: str) -> Rule | None:
        """Return a rule without a name for a line that some format means otherwise."""
        if (
            _settings.match(line)
            or _record.match(line)
            or _cosmetic.search(bare)
            or _bind_setting.fullmatch(bare)
            or re.match(r"@@|\||\[|/", line)
            or re.search(r"[\^$]", bare)
            or (self._in_zone and _zone_number.fullmatch(bare))
            or (self._in_filters and not re.search(r"\s", bare) and not normalize(bare, "domain"))
        ):
            self._in_zone |= line.startswith("$")
            return Rule([])
        return None

    def _name_zone(self, name: str) -> None:
        """Note a zone's name, where it stands as a whole: the first that does is the zone's own."""
        if not self.zone and name.endswith(".") and name != ".":
            self.zone = name

    def _leave_zone(self, name: str) -> str:
        """Return a name without the zone's own at its end, which whole names have."""
        if self.zone and name.lower().endswith(f".{self.zone}"):
            return name[: -len(self.zone) - 1]
        return name
