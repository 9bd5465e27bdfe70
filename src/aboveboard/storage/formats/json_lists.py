"""Lists in JSON: MISP, OTX, STIX, any other JSON or JSON lines by the path to the value.

MISP: events, attributes and warning lists; OTX: the indicators of pulses; STIX: indicators whose
pattern says only that a value is one of some, and observed objects. What says more (`AND`, `NOT`, a
revoked indicator) is left out, and counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from aboveboard.errors import InputError
from aboveboard.formatting import format_quantity, join_names
from aboveboard.storage.formats.json_paths import (
    EVERY_NAME,
    MOST_DEPTH,
    PATHS_LISTED,
    find_objects,
    find_texts,
    follow_path,
    parse_path,
)
from aboveboard.storage.formats.line_reader import explain_refusal
from aboveboard.storage.formats.lines import ListedElements, quote_sample
from aboveboard.storage.formats.stix_patterns import read_pattern
from aboveboard.storage.kinds import LINE_BREAKS, Kind, normalize
from aboveboard.storage.kinds.characters import is_encodable
from aboveboard.storage.limits import COPIES, refuse_too_large

COMPOSED, OTHER_TYPE = "patterns that are not single value", "entries of other types"
NO_VALUE, REVOKED = "entries without the value", "revoked indicators"
DELETED = "deleted attributes"

MISP_TYPES: dict[str, tuple[Kind | None, ...]] = {
    "domain": ("domain",), "hostname": ("domain",), "domain|ip": ("domain", "address"),
    "hostname|port": ("domain", None),
    "ip-src": ("address",), "ip-dst": ("address",), "ip-src|port": ("address", None),
    "ip-dst|port": ("address", None), "ip": ("address",), "url": ("url",), "uri": ("url",),
    "email": ("email",), "email-src": ("email",), "email-dst": ("email",),
    "email-reply-to": ("email",), "eppn": ("email",), "dns-soa-email": ("email",),
    "whois-registrant-email": ("email",), "malware-sample": (None, "hash"),
}  # fmt: skip  # read as a table
"""Kinds of the parts of a MISP attribute's value, which `|` separates, by its type.

A `link` is where an analyst read about it, hence no element.
"""

OTX_TYPES: dict[str, str] = {
    "domain": "domain", "hostname": "hostname", "IPv4": "ip", "IPv6": "ip", "CIDR": "ip",
    "URL": "url", "email": "email", "FileHash-MD5": "md5", "FileHash-SHA1": "sha1",
    "FileHash-SHA256": "sha256",
}  # fmt: skip  # read as a table
"""What MISP calls the types of OTX's indicators."""

STIX_OBJECTS: dict[str, Kind] = {
    "domain-name": "domain", "ipv4-addr": "address", "ipv6-addr": "address", "url": "url",
    "email-addr": "email", "file": "hash", "artifact": "hash", "x509-certificate": "hash",
}  # fmt: skip  # read as a table

_broken = re.compile(LINE_BREAKS)
_misp_hash = re.compile(r"(filename\|)?(?:x509-fingerprint-)?(?:md5|sha(?:3-)?\d+(?:/\d+)?)")


def is_json(data: bytes) -> bool:
    """Return whether a text begins as JSON with objects or lists does."""
    start = data[:4096].lstrip()
    return bool(re.match(rb'\{\s*(?:"|\})|\[\s*(?:[\[{"\]]|-?\d+\s*[,\]]|true|false|null)', start))


class RepeatedNameError(ValueError):
    """Raised where an object names one field twice: which one counts is not to be guessed."""


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        name = next(name for name, count in counts.items() if count > 1)
        raise RepeatedNameError(f"an object names {name!r} more than once")
    return made


VALUE = 100
"""Bytes in memory of a value of JSON, without what it says."""


def parse(data: bytes, where: str) -> list[Any]:
    """Return the values of a JSON file, one, or of JSON lines, one for each line.

    Raises
    ------
    InputError
        It is neither, and the message names the line; or it is empty, or would not fit into memory.
    """
    if not data.strip():
        raise InputError(where, "this file is empty", "write [] if there is nothing in the list")
    count = data.count(b",") + 1
    stated = f"JSON of {format_quantity(count, 'value')}"
    refuse_too_large(where, memory=VALUE * count + COPIES * len(data), stated=stated)
    _refuse_depth(data, where)
    try:
        return [json.loads(data, object_pairs_hook=_make_object)]
    except json.JSONDecodeError as error:
        first = error
    except RepeatedNameError as error:
        raise InputError(where, str(error), "give each field a name of its own") from None
    except (RecursionError, ValueError) as error:
        raise InputError(where, f"this is not JSON ({error})", "write it again") from None
    values = []
    for number, line in enumerate(data.split(b"\n") if b"\n" in data else [], 1):
        if not line.strip():
            continue
        try:
            values.append(json.loads(line, object_pairs_hook=_make_object))
        except RepeatedNameError as error:
            place = f"{where}, line {number}"
            raise InputError(place, str(error), "give each field a name of its own") from None
        except ValueError as error:
            if number == 1 or (first.lineno > 1 and first.msg != "Extra data"):
                place = f"{where}, line {first.lineno}, column {first.colno}"
                problem = f"this is not JSON ({first.msg})"
            else:
                place = f"{where}, line {number}"
                problem = f"this line is not JSON ({getattr(error, 'msg', error)})"
            raise InputError(place, problem, "write the file again") from None
    if not values:
        place = f"{where}, line {first.lineno}, column {first.colno}"
        raise InputError(place, f"this is not JSON ({first.msg})", "write the file again")
    return values


def read_json(
    values: list[Any], kind: Kind, path: str | None, where: str
) -> tuple[ListedElements, str]:
    """Return the elements of a JSON file, and what it is: "MISP", "STIX", "JSON", ..

    Parameters
    ----------
    values
        From `parse`.
    kind
        What the elements are: of a file with several kinds those are meant.
    path
        Where the elements are, such as `data[].value`; None: the file is MISP, OTX, STIX, a list,
        or an object with the elements for names.
    where
        What to call the file in messages.

    Raises
    ------
    InputError
        There is nothing at the path, or no path and several places with text; or of MISP, OTX and
        STIX nothing can be of the kind.
    """
    listed = ListedElements(pl.Series([], dtype=pl.String))
    collect = _Collector(kind, listed)
    form = "JSON lines" if len(values) > 1 else "JSON"
    if path is None and (stix := [x for value in values for x in _find_stix_objects(value)]):
        form = "STIX"
        for number, entry in enumerate(stix, 1):
            _read_stix(entry, number, collect)
    elif path is None and (misp := [x for value in values for x in _find_misp(value)]):
        form = "MISP"
        for number, (type_, value, deleted) in enumerate(misp, 1):
            if deleted:
                collect.leave_out(DELETED, f"attribute {number}", f"{type_}: {value}")
            else:
                _read_misp(type_, value, number, collect)
    elif path is None and (pulses := [x for value in values for x in _find_otx(value)]):
        form = "OTX"
        for number, (type_, value) in enumerate(pulses, 1):
            _read_misp(OTX_TYPES.get(type_, type_), value, number, collect)
    else:
        _read_path(values, path, where, collect, form)
    if kind == "text" and form in ("STIX", "MISP", "OTX") and not collect.found and listed.left_out:
        problem = f'this is {form}, and nothing of it is of kind "text"'
        remedy = 'write the kind that is meant, such as kind = "domain", or path'
        raise InputError(where, problem, remedy)
    listed.elements = pl.Series(collect.found, dtype=pl.String)
    return listed, form


class _Collector:
    """Takes texts one by one: elements of the kind, and others, counted."""

    def __init__(self, kind: Kind, listed: ListedElements) -> None:
        self.kind, self.listed, self.found = kind, listed, list[str]()

    def take(self, text: str, place: str) -> None:
        """Take one value that should be of the kind."""
        normal = normalize(text, self.kind) if is_encodable(text) else None
        if self.kind == "text" and _broken.search(text):
            self.leave_out("entries with a line break", place, text)
            return
        if normal is None:
            self.leave_out(explain_refusal(text, self.kind), place, text)
            return
        self.listed.respelled += normal != text
        self.found.append(normal)

    def leave_out(self, reason: str, place: str, text: str) -> None:
        """Count a value that is left out."""
        self.listed.leave_out(reason, place, text)


def _find_stix_objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of STIX bundles."""
    if isinstance(value, list):
        for entry in value:
            yield from _find_stix_objects(entry) if isinstance(entry, dict) else ()
    elif isinstance(value, dict):
        type_, objects = value.get("type"), value.get("objects")
        if (type_ == "bundle" and isinstance(objects, list)) or (
            isinstance(objects, list) and "more" in value
        ):
            yield from (x for x in objects if isinstance(x, dict))
        elif isinstance(type_, str) and str(value.get("id", "")).startswith(f"{type_}--"):
            yield value


def _read_stix(entry: dict[str, Any], number: int, collect: _Collector) -> None:
    type_, place = str(entry.get("type")), f"object {number}"
    if type_ == "indicator":
        pattern = str(entry.get("pattern", ""))
        if entry.get("revoked") is True:
            collect.leave_out(REVOKED, place, pattern)
            return
        found = read_pattern(pattern) if entry.get("pattern_type", "stix") == "stix" else None
        if found is None:
            collect.leave_out(COMPOSED, place, pattern)
        for object_, property_, text in found or ():
            _take_stix(object_, property_, text, place, collect)
    elif type_ == "observed-data" and isinstance(entry.get("objects"), dict):
        # As STIX 2.0 had it: what was observed stands inside.
        for inner in entry["objects"].values():
            if isinstance(inner, dict) and inner.get("type") in STIX_OBJECTS:
                _read_stix(inner, number, collect)
    elif type_ in STIX_OBJECTS:
        if STIX_OBJECTS[type_] == "hash":
            hashes = entry.get("hashes")
            for name, text in hashes.items() if isinstance(hashes, dict) else ():
                _take_stix(type_, f"hashes.{name}", str(text), place, collect)
        elif isinstance(entry.get("value"), str):
            _take_stix(type_, "value", entry["value"], place, collect)


def _take_stix(object_: str, property_: str, text: str, place: str, collect: _Collector) -> None:
    kind = STIX_OBJECTS.get(object_)
    is_meant = property_.startswith("hashes") if kind == "hash" else property_ == "value"
    if kind == collect.kind and is_meant:
        if kind == "hash" and normalize(text, "hash") is None:
            collect.leave_out(OTHER_TYPE, place, f"{object_}:{property_} = {text}")
        else:
            collect.take(text, place)
    else:
        collect.leave_out(OTHER_TYPE, place, f"{object_}:{property_} = {text}")


def _find_misp(value: Any, deleted: bool = False) -> Iterator[tuple[str, str, bool]]:
    """Yield type and value of MISP attributes and warning lists' entries, and what is deleted."""
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict) and {"Event", "Attribute"} & entry.keys():
                yield from _find_misp(entry, deleted)
        return
    if not isinstance(value, dict):
        return
    if isinstance(value.get("list"), list) and {"version", "matching_attributes"} & value.keys():
        yield from (("", text, deleted) for text in value["list"] if isinstance(text, str))
        return
    for key in ("response", "Event", "Attribute", "Object"):
        inner = value.get(key)
        for entry in inner if isinstance(inner, list) else [inner]:
            if not isinstance(entry, dict):
                continue
            gone = deleted or entry.get("deleted") in (True, "1", 1)
            if key == "Attribute" and "type" in entry and "value" in entry:
                found = entry["value"]
                yield (
                    str(entry["type"]),
                    found if isinstance(found, str) else json.dumps(found),
                    gone,
                )
            else:
                yield from _find_misp(entry, gone)


def _find_otx(value: Any) -> Iterator[tuple[str, str]]:
    """Yield type and value of the indicators of OTX's pulses; nothing if no type is OTX's."""
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict):
                yield from _find_otx(entry)
        return
    results = value.get("results") if isinstance(value, dict) else None
    if isinstance(results, list):
        yield from _find_otx(results)
        return
    indicators = value.get("indicators") if isinstance(value, dict) else None
    listed = [
        (entry["type"], entry["indicator"])
        for entry in (indicators if isinstance(indicators, list) else ())
        if isinstance(entry, dict)
        and isinstance(entry.get("type"), str)
        and isinstance(entry.get("indicator"), str)
    ]
    if any(type_ in OTX_TYPES for type_, _ in listed):
        yield from listed


def _read_misp(type_: str, value: str, number: int, collect: _Collector) -> None:
    place = f"attribute {number}" if type_ else f"entry {number}"
    if not type_:
        collect.take(value, place)
        return
    kinds = MISP_TYPES.get(type_, (None,))
    if found := _misp_hash.fullmatch(type_):
        kinds = (None, "hash") if found[1] else ("hash",)
    # From the right: a file's name may hold a bar itself.
    parts = value.rsplit("|", len(kinds) - 1)
    meant = [text for kind, text in zip(kinds, parts, strict=False) if kind == collect.kind]
    for text in meant:
        collect.take(text, place)
    if not meant:
        collect.leave_out(OTHER_TYPE, place, f"{type_}: {value}")


def _read_path(
    values: list[Any], path: str | None, where: str, collect: _Collector, form: str
) -> None:
    """Read what stands at a path; without one, of a list of texts its texts."""
    if path is None:
        whole = values[0] if form == "JSON" and isinstance(values[0], list) else values
        if not all(isinstance(entry, str) for entry in whole):
            if _has_elements_for_names(values, collect.kind):
                _read_path(values, EVERY_NAME, where, collect, form)
                return
            paths = set[str]()
            for found, _ in (text for value in values for text in find_texts(value)):
                paths.add(found)
                if len(paths) > 1:
                    break
            if len(paths) != 1 or _has_elements_as_names(values, collect.kind):
                problem = "nothing says where in this JSON the elements are"
                raise InputError(where, problem, _list_paths(values, collect.kind))
            # There is text in one place only, so that this is no guess.
            _read_path(values, paths.pop(), where, collect, form)
            return
        for number, entry in enumerate(whole, 1):
            collect.take(entry, f"entry {number}")
        return
    steps = parse_path(path, where)
    reached = missed = False
    for number, value in enumerate(values, 1):
        for count, entry in enumerate(follow_path(value, steps), 1):
            reached |= entry is not None
            missed |= entry is None
            place = f"line {number}" if form == "JSON lines" else f"entry {count}"
            if isinstance(entry, str):
                collect.take(entry, place)
            elif isinstance(entry, int | float) and not isinstance(entry, bool):
                collect.take(str(entry), place)
            else:
                collect.leave_out(NO_VALUE, place, json.dumps(entry)[:200])
    if missed and not reached:
        problem = f"there is nothing at path {path!r}"
        raise InputError(where, problem, _list_paths(values, collect.kind))


def _has_elements_for_names(values: list[Any], kind: Kind) -> bool:
    """Return whether the names of a file's one object are the elements, and no text in it is one.

    Of "text" everything is: there only a path says what is meant.
    """
    if len(values) > 1 or not isinstance(values[0], dict) or not values[0] or kind == "text":
        return False
    if any(normalize(name, kind) is None for name in values[0] if is_encodable(name)):
        return False
    return all(normalize(text, kind) is None for _, text in find_texts(values[0]))


def _has_elements_as_names(values: list[Any], kind: Kind) -> bool:
    """Return whether the name of a field, anywhere, could be an element."""
    objects = (found for value in values for _, found in find_objects(value))
    names = {name for found in objects for name in found} if kind != "text" else ()
    return any(is_encodable(name) and normalize(name, kind) is not None for name in names)


def _list_paths(values: list[Any], kind: Kind) -> str:
    found: dict[str, str] = {}
    for value in values[:100]:
        for path, names in find_objects(value, entries=20):
            if len(found) >= PATHS_LISTED:
                break
            sample = next(iter(names))
            if kind != "text" and is_encodable(sample) and normalize(sample, kind) is not None:
                found.setdefault(path, sample)
        for path, text in find_texts(value, entries=20):
            found.setdefault(path, text)
            if len(found) > PATHS_LISTED:
                break
    if not found:
        named = any(isinstance(value, dict) and value for value in values)
        instead = f' but names of fields, which path = "{EVERY_NAME}" leads to'
        return f"the file holds no text{instead * named}"
    samples = [f"{path!r} ({quote_sample(text[:30])})" for path, text in found.items()]
    return f"set path to one of: {join_names(samples[:PATHS_LISTED])}"


def _refuse_depth(data: bytes, where: str) -> None:
    """Raise if brackets nest too deeply; those in texts count at worst too often."""
    if data.count(b"[") + data.count(b"{") <= MOST_DEPTH:
        return
    import numpy as np

    octets = np.frombuffer(data, np.uint8)
    outside = np.cumsum(octets == ord('"'), dtype=np.uint8) & 1 == 0
    opened = ((octets == ord("[")) | (octets == ord("{"))) & outside
    closed = ((octets == ord("]")) | (octets == ord("}"))) & outside
    depth = np.cumsum(opened.astype(np.int8) - closed.astype(np.int8), dtype=np.int64)
    if depth.size and b'\\"' not in data and int(depth.max()) > MOST_DEPTH:
        problem = f"it nests more than {MOST_DEPTH} brackets"
        raise InputError(where, problem, "write the list on its own")
