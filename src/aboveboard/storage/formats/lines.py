"""Lists in lines: plain ones, hosts files, rules of ad blockers and of name servers.

A line is an element, a comment, or something that is left out and counted. With a kind, of a line
with several fields the first is meant; of a hosts line the names; of a rule the domain, if the rule
says nothing else. Lines that are plain are looked at as a column; only others one by one.

Cost: about twice what polars takes to read the lines, if they are plain or plain hosts lines.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from aboveboard.errors import InputError
from aboveboard.storage.kinds import (
    LINE_BREAKS,
    Kind,
    is_normal,
    normalize,
    normalize_column,
)
from aboveboard.storage.kinds.characters import remove_invisible
from aboveboard.storage.limits import LONGEST_LINE

SAMPLES = 3
"""Lines shown of what was left out, for each reason."""

SHOWN = 80
"""Characters shown of a sample."""

RULE, PATTERN, LOCAL = "rules that are not bare domain", "patterns", "names of the machine itself"

SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "0"})
"""Where hosts files send the names that they block."""

LOCAL_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "local", "broadcasthost", "localhost6",
     "localhost6.localdomain6", "localhost4", "localhost4.localdomain4"}
)  # fmt: skip

WORD = r"^[0-9A-Za-z_.:@-]+\r?$"
"""Lines that are one word, without a sign that some format gives a meaning."""

_comment = re.compile(r"[#;!]|//")
_trailing = re.compile(r"\s(?:[#;!]|//).*$")
_cosmetic = re.compile(r"#[@?$%]*#")
_adblock = re.compile(r"(@@)?\|\|([^\^$/|*]+)\^(\|)?(\$.*)?")
_dnsmasq = re.compile(r"(?:address|server|local)=/([^#]+)/([^/\s]*)")
_unbound = re.compile(
    r'local-zone:\s*"([^"]+)"\s+(?:redirect|always_\w+|refuse|static|deny|inform_\w+)'
)
_bind = re.compile(r'zone\s+"([^"]+)".*')
_rpz = re.compile(r"(\S+)\s+(?:\d+\s+)?(?:IN\s+)?CNAME\s+(?:\.|rpz-\S+|\S+\.)", re.IGNORECASE)
_rule = re.compile(r"@@|\|\||\||\[Adblock|\[uBlock|/.*/|.*\$\w|.*\^|(?:[\w.-]*)#", re.IGNORECASE)
_bullet = re.compile(r"^[-*\u2022]\s+")
_fields = re.compile(r"[\s,;|]+")
_spaces = re.compile(r"\s+")


@dataclass
class ListedElements:
    """What a list says: elements with their repetitions, and what is none.

    Parameters
    ----------
    elements
        In normal form, not yet each once.
    comments
        Lines that are comments.
    left_out
        Entries that are not elements, by reason.
    samples
        By reason the first of them, with their places.
    respelled
        Elements that were not in normal form.
    """

    elements: pl.Series
    comments: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    samples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    respelled: int = 0

    def leave_out(self, reason: str, place: str, text: str, count: int = 1) -> None:
        """Count an entry that is not an element, and keep the first ones as samples."""
        self.left_out[reason] += count
        kept = self.samples.get(reason, ())
        if len(kept) < SAMPLES:
            self.samples[reason] = (*kept, f"{place}: {shorten(text)}")


def shorten(text: str) -> str:
    """Return a sample of a line, as it can be shown on any terminal."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}.."


def split_lines(data: bytes, where: str) -> pl.Series:
    """Return the lines of a text: String, null where a line is empty; lines end in LF, CRLF or CR.

    Parameters
    ----------
    data
        UTF-8, without a byte order mark.
    where
        What to call the file in messages.

    Raises
    ------
    InputError
        A line is longer than a mebibyte, or a carriage return stands in it.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if b"\n" not in data:
            data = data.replace(b"\r", b"\n")
        elif (at := data.rstrip(b"\r").find(b"\r")) >= 0:
            line = data.count(b"\n", 0, at) + 1
            problem = "a carriage return stands inside the line"
            raise InputError(f"{where}, line {line}", problem, "end every line with a line feed")
        data = data.rstrip(b"\r")
    if not data:
        return pl.Series([], dtype=pl.String)
    if data[:1] == b"\n" and not data.strip(b"\n"):
        return pl.Series([None] * data.count(b"\n"), dtype=pl.String)
    separator = next((c for c in map(chr, (1, 2, 3, 4, 5, 6)) if c.encode() not in data), None)
    if separator is None:
        return _split_slowly(data)
    lines = pl.read_csv(
        data, has_header=False, separator=separator, quote_char=None, infer_schema=False,
        new_columns=["line"],
    ).to_series()  # fmt: skip
    longest = lines.str.len_bytes().max() if len(data) > LONGEST_LINE else 0
    if isinstance(longest, int) and longest > LONGEST_LINE:
        row = lines.str.len_bytes().arg_max() or 0
        problem = f"the line is longer than {LONGEST_LINE:,} bytes"
        raise InputError(f"{where}, line {row + 1}", problem, "write one element on a line")
    return lines


def _split_slowly(data: bytes) -> pl.Series:
    lines = pl.Series(data.decode().removesuffix("\n").split("\n"), dtype=pl.String)
    return lines.set(lines == "", None)


def read_text_lines(lines: pl.Series, where: str) -> ListedElements:
    """Take every line that is not blank for an element, as it stands.

    Raises
    ------
    InputError
        A line holds what some programs take for a line's end.
    """
    broken = lines.str.contains(LINE_BREAKS).fill_null(value=False)
    if broken.any():
        row = broken.arg_max() or 0
        problem = "a line separator stands inside the line"
        remedy = "remove it, or end the line there with a line feed"
        raise InputError(f"{where}, line {row + 1}", problem, remedy)
    return ListedElements(normalize_column(lines, "text").drop_nulls())


def read_kind_lines(lines: pl.Series, kind: Kind, *, local: bool = True) -> ListedElements:
    """Read a list whose elements are of a kind.

    Parameters
    ----------
    lines
        From `split_lines`.
    kind
        Any but "text".
    local
        Whether a line may name a machine of the domain `localdomain`.

    Notes
    -----
    A prefix that the first lines share, such as `0.0.0.0 `, is taken off as a column; what is then
    in normal form is done. The other lines go one by one, each distinct one once.
    """
    plan = lines.alias("line").to_frame().lazy()
    prefix = _find_prefix(lines) if kind == "domain" else ""
    if prefix:
        plan = plan.select(pl.col("line").str.strip_prefix(prefix))
    plain = is_normal(pl.col("line"), kind)
    if prefix and local:
        plain &= ~pl.col("line").str.ends_with(".localdomain").fill_null(value=False)
    looked_at = plan.with_columns(plain.alias("usual")).collect()
    bare, usual = looked_at["line"], looked_at["usual"]
    listed = ListedElements(bare.filter(usual))
    if listed.elements.len() == lines.len():
        return listed
    odd = (~usual).arg_true()
    words = _read_words(bare.gather(odd), kind, listed)
    odd = odd.filter(words.is_null())
    rest = _read_odd_lines(lines.gather(odd), odd, kind, listed)
    listed.elements = pl.concat([listed.elements, words.drop_nulls(), rest])
    return listed


def _find_prefix(lines: pl.Series) -> str:
    """Return how the lines of a hosts file begin, if most of its first ones begin alike."""
    first = [line for line in lines.head(200).to_list() if line and not _comment.match(line)]
    begun = Counter(
        line[: found.end()] for line in first if (found := re.match(r"[0-9a-f.:]+\s+", line))
    )
    for prefix, _ in begun.most_common(1):
        if prefix.strip() in SINKS:
            return str(prefix)
    return ""


def _read_words(odd: pl.Series, kind: Kind, listed: ListedElements) -> pl.Series:
    """Return the elements of lines that are one word and nothing else, null for other lines."""
    fits = odd.str.contains(WORD).fill_null(value=False)
    if kind == "domain":
        fits &= ~odd.str.contains(r"\.localdomain[0-9]?\.?$").fill_null(value=False)
    words = odd.set(~fits, None)
    normal = normalize_column(words, kind)
    listed.respelled += int((normal != words).sum())
    return normal


def _read_odd_lines(
    rest: pl.Series, numbers: pl.Series, kind: Kind, listed: ListedElements
) -> pl.Series:
    """Read lines that are not plain; `numbers` says where each stands, from 0."""
    read = _Line(kind)
    found: list[str] = []
    for number, line in zip(numbers.to_list(), rest.to_list(), strict=True):
        if line is None:
            continue
        elements = read(line)
        if elements is None:
            continue
        found.extend(elements)
        if read.reasons:
            for reason, text in read.reasons:
                listed.leave_out(reason, f"line {number + 1}", text)
            read.reasons.clear()
    listed.comments += read.comments
    listed.respelled += read.respelled
    return pl.Series(found, dtype=pl.String)


class _Line:
    """Reads one line after the other, and counts what it finds.

    Parameters
    ----------
    kind
        What the elements are.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.comments = self.respelled = 0
        self.reasons: list[tuple[str, str]] = []
        self.foreign = f"entries that are not {describe_kind(kind)}"

    def __call__(self, raw: str) -> list[str] | None:
        """Return the elements of a line; why others are left out is added to `reasons`."""
        line = remove_invisible(raw)
        if not line:
            return None
        if _comment.match(line):
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
        normal = normalize(text.strip("\"'"), self.kind)
        if normal is not None and normal != raw:
            self.respelled += 1
        return normal

    def _read_fields(self, bare: str, raw: str, line: str) -> list[str]:
        if (whole := self._take(bare, raw)) is not None:
            return [whole]
        parts = _spaces.split(bare)
        if self.kind == "domain" and len(parts) > 1 and normalize(parts[0], "address"):
            return self._read_names(parts[1:], line)
        sunk = self.kind == "address" and parts[0] in SINKS and len(parts) > 1
        if sunk and (normalize(parts[1], "domain") or parts[1] in LOCAL_NAMES):
            self.reasons.append((self.foreign, line))
            return []
        splits = (parts[0],) if self.kind in ("url", "text") else (parts[0], _fields.split(bare)[0])
        if self.kind == "url":
            splits = (*splits, bare.split("\t")[0], _unquote(bare))
        for first in splits:
            if (element := self._take(first, raw)) is not None:
                return [element]
        self.reasons.append((self._reason(bare), line))
        return []

    def _read_names(self, names: list[str], line: str) -> list[str]:
        """Read the names of a hosts line."""
        found = []
        for name in names:
            normal = self._take(name, name)
            if normal is not None and normal not in LOCAL_NAMES:
                found.append(normal)
            elif normal in LOCAL_NAMES or re.fullmatch(r"[A-Za-z0-9_-]+", name):
                self.reasons.append((LOCAL, line))
            else:
                self.reasons.append((self.foreign, line))
        return found

    def _read_rule(self, line: str) -> list[str] | None:
        """Return the domains of a rule, none where it says more than they do; None: it is none."""
        names: list[str] | None = None
        if found := _adblock.fullmatch(line):
            names = [] if found[1] or found[3] or found[4] else [found[2]]
        elif found := _dnsmasq.fullmatch(re.sub(r"\s#.*$", "", line)):
            names = found[1].split("/")
        elif (
            (found := _unbound.fullmatch(line))
            or (found := _bind.fullmatch(line))
            or (found := _rpz.fullmatch(line))
        ):
            names = [found[1]]
        elif _cosmetic.search(line) or re.match(r"@@|\||\[|/", line) or re.search(r"[\^$]", line):
            names = []
        if names is None:
            return None
        normal = [self._take(name, line) for name in names]
        kept = [name for name in normal if name is not None]
        if not names or len(kept) < len(names):
            self.reasons.append((RULE, line))
        return kept

    def _reason(self, bare: str) -> str:
        pattern = self.kind == "domain" and ("*" in bare or bare.startswith("."))
        return PATTERN if pattern else self.foreign


def _unquote(text: str) -> str:
    """Return the first field of a quoted line, as CSV would read it."""
    found = re.match(r'"((?:[^"]|"")*)"', text)
    return found[1].replace('""', '"') if found else text


def describe_kind(kind: Kind) -> str:
    """Return what elements of a kind are called: "domain names", "URLs", .."""
    return {
        "domain": "domain names",
        "address": "addresses or networks",
        "url": "URLs",
        "email": "mail addresses",
        "hash": "hashes",
        "text": "text",
    }[kind]
