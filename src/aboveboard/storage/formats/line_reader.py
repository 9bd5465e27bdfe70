"""One line of a list at a time: comments, hosts lines, rules, several fields, or an element.

Cost: some microseconds a line.
"""

from __future__ import annotations

import re

from aboveboard.storage.formats.rules import OWN_ADDRESS, RuleReader, is_sink
from aboveboard.storage.kinds import Kind, describe_kind, normalize
from aboveboard.storage.kinds.characters import remove_invisible

RULE, PATTERN, LOCAL = "rules that are not bare domain", "patterns", "names of the machine itself"
FURTHER = "further fields of a line that could be elements"
MAPPED = "names that are not blocked but lead to a machine"
BLOCKED = "lines of a hosts file that block a name"
ASIDE = "lines of its format that hold no address"
MOST_FURTHER = 8
"""Fields of a line that are looked at, beside the first."""

LOCAL_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "local", "broadcasthost", "localhost6",
     "localhost6.localdomain6", "localhost4", "localhost4.localdomain4"}
)  # fmt: skip  # read as a table

DOMAIN_PATTERN = r"^\+?\.|\*"
"""Domains and those below them: `.bad.example`, `*.bad.example`, `+.bad.example`."""

COMMENT = re.compile(r"[#;!]|//|\[Adblock[^\]]*\]$")
_trailing = re.compile(r"\s(?:[#;!]|//).*$")
_named_hash = re.compile(r"([A-Za-z0-9-]+)\s*\(.*\)\s*=\s*([0-9A-Fa-f]+)")
_netmask = re.compile(r"([0-9.]+)\s+((?:255\.|0\.0\.0\.[1-9]|0\.0\.[1-9]|0\.[1-9])[0-9.]*)")
_bounds = re.compile(r"([^\s,;|]+)[\s,;|]+([^\s,;|]+)[\s,;|]+/?([0-9]{1,3})(?:[\s,;|].*)?")
"""A network by its first and last address and its length, as DShield writes it."""
_named_address = re.compile(r"(?:add\s+\S+|ExitAddress)\s+([^\s,]+)(?:[\s,].*)?")
"""In sets of ipset, and in Tor's list of its exits."""
_aside = re.compile(r"(?:create|flush|destroy|ExitNode|Published|LastStatus)\s.*")
_spaced_range = re.compile(r"(\S+)\s+[-\u2013]\s+([^\s,;|]+)")
_end = re.compile(r"(?=.*[0-9:])[0-9A-Fa-f:./]+")
_bullet = re.compile(r"^[-*\u2022]\s+")
_fields = re.compile(r"[\s,;|]+")
_spaces = re.compile(r"\s+")


class LineReader:
    """Reads one line after the other, and counts what it finds until that is to be forgotten.

    A line may lead a name to a machine (`192.0.2.7 nas.example`). In a list that blocks others that
    is not meant; in one that blocks none it is. So such names are not among the elements but in
    `mapped`, and `blocks` says whether a line so far has blocked a name.

    Parameters
    ----------
    kind
        What the elements are.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.blocks = False
        self.reasons: list[tuple[str, str]] = []
        self.mapped: list[str] = []
        self._rules = RuleReader()
        self.forget_counts()

    @property
    def origins(self) -> list[str]:
        """What names of a zone are relative to, as its lines say so far."""
        return self._rules.origins

    def forget_counts(self) -> None:
        """Begin again to count comments, respelled elements and what is left out."""
        self.comments = self.respelled = 0
        self.reasons.clear()
        self.mapped.clear()

    def __call__(self, raw: str) -> list[str] | None:
        """Return the elements of a line; why others are left out is added to `reasons`."""
        line = remove_invisible(raw)
        if not line:
            return None
        if COMMENT.match(line):
            self._rules.look_at_comment(line)
            self.comments += 1
            return None
        line = _bullet.sub("", line)
        if self.kind == "domain" and (rules := self._read_rule(line)) is not None:
            return rules
        if self.kind in ("domain", "address", "hash", "email"):
            cut = re.split(r"[#;]", line, maxsplit=1)[0] if self.kind != "email" else line
            bare = _trailing.sub("", cut).strip()
        else:
            bare = _trailing.sub("", line).strip()
        return self._read_fields(bare, raw, line)

    def _take(self, text: str, raw: str) -> str | None:
        # A quotation mark may be part of a mail address or a URL.
        normal = normalize(text, self.kind)
        if normal is None and (bare := text.strip("\"'")) != text:
            normal = normalize(bare, self.kind)
        if normal is not None and normal != raw:
            self.respelled += 1
        return normal

    def _read_fields(self, bare: str, raw: str, line: str) -> list[str]:
        if (whole := self._take(bare, raw)) is not None:
            return [whole]
        parts = _spaces.split(bare)
        named = len(parts) > 1 and (is_sink(parts[0]) or normalize(parts[0], "address"))
        if self.kind == "domain" and named:
            return self._read_names(parts[0], parts[1:], line)
        sunk = self.kind == "address" and len(parts) > 1 and is_sink(parts[0])
        if sunk and (normalize(parts[1], "domain") or parts[1] in LOCAL_NAMES):
            self.reasons.append((BLOCKED, line))
            return []
        if self.kind == "address" and _aside.fullmatch(bare):
            self.reasons.append((ASIDE, line))
            return []
        if self.kind == "address" and (field := _find_address(bare)):
            return self._take_or_leave(field, raw, line)
        splits: tuple[str, ...] = (parts[0],)
        if self.kind not in ("url", "text"):
            splits = (parts[0], _fields.split(bare)[0])
        if self.kind == "hash":
            # sha256sum marks a line in which a file's name is written with backslashes.
            splits = tuple(field.removeprefix("\\") for field in (*splits, bare.partition(":")[0]))
            if named_hash := _named_hash.fullmatch(bare):
                return self._take_or_leave(f"{named_hash[1]}:{named_hash[2]}", raw, line)
        if self.kind == "url":
            splits = (*splits, bare.split("\t")[0], _unquote(bare))
        for first in splits:
            if (element := self._take(first, raw)) is not None:
                self._count_further(bare, line)
                return [element]
        self.reasons.append((explain_refusal(bare, self.kind), line))
        return []

    def _take_or_leave(self, field: str, raw: str, line: str) -> list[str]:
        """Return the one field that is meant, none where it is not of the kind."""
        if (element := self._take(field, raw)) is not None:
            return [element]
        self.reasons.append((explain_refusal(field, self.kind), line))
        return []

    def _count_further(self, bare: str, line: str) -> None:
        """Count the fields after the first that could be meant as well."""
        if self.kind in ("url", "text"):
            return
        for field in _fields.split(bare)[1 : MOST_FURTHER + 1]:
            if field and normalize(field.strip("\"'"), self.kind) is not None:
                self.reasons.append((FURTHER, line))

    def _read_names(self, address: str, names: list[str], line: str) -> list[str]:
        """Read the names of a hosts line."""
        found = []
        for name in names:
            normal = normalize(name, self.kind)
            local = normal in LOCAL_NAMES or re.fullmatch(r"[A-Za-z0-9_-]+", name)
            if address == OWN_ADDRESS or local:
                self.reasons.append((LOCAL, line))
            elif normal is None:
                self.reasons.append((explain_refusal(name, self.kind), line))
            else:
                self.respelled += normal != name
                found.append(normal)
        return self._sort_names(found, blocked=is_sink(address))

    def _sort_names(self, names: list[str], *, blocked: bool) -> list[str]:
        """Return names that a line blocks; those that it leads to a machine go into `mapped`."""
        if blocked:
            self.blocks |= bool(names)
            return names
        self.mapped += names
        return []

    def _read_rule(self, line: str) -> list[str] | None:
        """Return the domains of a rule, an empty list where it says more; None: not a rule."""
        rule = self._rules.read(line)
        if rule is None:
            return None
        normal = [self._take(name, line) for name in rule.names]
        kept = [name for name in normal if name is not None]
        if not rule.names or len(kept) < len(rule.names):
            self.reasons.append((RULE, line))
        return self._sort_names(kept, blocked=rule.blocks)


def explain_refusal(entry: str, kind: Kind) -> str:
    """Return why an entry is no element of its kind: it is a pattern, or something else.

    Examples
    --------
    >>> explain_refusal("*.bad.example", "domain"), explain_refusal("bad", "domain")
    ('patterns', 'entries that are not domain names')
    """
    if kind == "domain" and re.search(DOMAIN_PATTERN, entry.strip("\"'")):
        return PATTERN
    return f"entries that are not {describe_kind(kind)}"


def _find_address(bare: str) -> str | None:
    """Return the address, network or range that several fields of a line are; None: they are not.

    The first of such fields alone would be another element.
    """
    if spaced := _match_range(bare):
        return f"{spaced[1]}-{spaced[2]}"
    if masked := _netmask.match(bare):
        return f"{masked[1]}/{masked[2]}"
    if named := _named_address.fullmatch(bare):
        return named[1]
    if bounds := _bounds.fullmatch(bare):
        network = normalize(f"{bounds[1]}/{bounds[3]}", "address")
        if network is not None and network == normalize(f"{bounds[1]}-{bounds[2]}", "address"):
            return network
    return None


def _match_range(bare: str) -> re.Match[str] | None:
    """Return the ends of a range; after a dash there may be a remark instead."""
    found = _spaced_range.match(bare)
    return found if found and _end.fullmatch(found[2]) else None


def _unquote(text: str) -> str:
    """Return the first field of a quoted line, as CSV would read it."""
    found = re.match(r'"((?:[^"]|"")*)"', text)
    return found[1].replace('""', '"') if found else text
