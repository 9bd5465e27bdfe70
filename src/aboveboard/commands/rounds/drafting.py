"""Terms from a collaboration file: its parameters, the center's own files, and the parties."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.collaborations.inputs import list_functions
from aboveboard.collaborations.party_names import is_party_name
from aboveboard.collaborations.registry import find_mechanism
from aboveboard.collaborations.toml_file import decode_content, parse_table, read_content
from aboveboard.collaborations.validation import check_shared_keys
from aboveboard.currencies import describe_rounding
from aboveboard.errors import InputError
from aboveboard.evidence.canonical import as_plain
from aboveboard.evidence.center_keys import CenterKeys
from aboveboard.evidence.folders import MOST_SEALED_BYTES, read_limited
from aboveboard.evidence.keys import PublicKeys
from aboveboard.evidence.payloads import FILE_NAME
from aboveboard.evidence.terms import NOT_PARAMETERS
from aboveboard.formatting import join_names


def state_rule(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a collaboration's table with the rule of an exchange of lists, if it names none.

    What the rule is depends on what the parties may lose; in the terms all sign the rule itself.
    """
    if table.get("mechanism") != "exchange.union" or "rule" in table:
        return table
    from aboveboard.exchange.union_file import UnionFile

    parties = {
        name: {**own, "elements": ["x"]} if isinstance(own, Mapping) else own
        for name, own in table["parties"].items()
    }
    try:
        file = UnionFile.model_validate({**table, "parties": parties})
    except ValueError:  # it is found where the round is run
        return table
    return {**table, "rule": file.find_rule().name}


def choose_sums(mechanism: str) -> str:
    """Return whether members commit to a sum where nobody says so: where there is one, and PyNaCl.

    Examples
    --------
    >>> choose_sums("market.vcg")
    'center'
    """
    able = mechanism == "exchange.average" and find_spec("nacl") is not None
    return "committed" if able else "center"


NAMES = (
    "begin with a letter of A to Z or a digit; up to 64 of these, spaces, '.', '_' and '-' make a "
    "name, and no name that Windows reserves"
)
"""What can be a party's name: it names folders."""

OF_MEMBERS = frozenset(
    {"data", "elements", "point", "interval", "bits", "numbers", "coins", "values", "size"}
)
"""Keys of a party's table that hold what it reports: each member commits its own, sealed."""


def list_left_out(table: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return by key the parties whose tables have it, though each member commits its own.

    Examples
    --------
    >>> list_left_out({"parties": {"acme": {"data": "acme.txt", "kind": "domain"}, "bolt": {}}})
    {'data': ['acme']}
    """
    found: dict[str, list[str]] = {}
    for name, own in table["parties"].items():
        for key in own if isinstance(own, Mapping) else ():
            if key in OF_MEMBERS:
                found.setdefault(key, []).append(name)
    return found


@dataclass(frozen=True)
class Draft:
    """What a collaboration file says to all members.

    Parameters
    ----------
    file
        Where it stands; '-': it came from standard input.
    table
        What of it all members may read.
    left_out
        A line that names what is not in the terms; empty: nothing.
    """

    file: Path
    table: dict[str, Any]
    left_out: str


def _describe_left_out(table: Mapping[str, Any]) -> str:
    found = list_left_out(table)
    listed = "; ".join(f"{key} of {join_names(names)}" for key, names in found.items())
    return f"left out of the terms, as each member commits its own: {listed}" if found else ""


def draft_table(file: Path) -> Draft:
    """Return what of a collaboration file all members may read, checked by its mechanism's model.

    The file is read once: what was checked is what is signed.

    Raises
    ------
    InputError
        If the file cannot be read, names no party or no installed mechanism, or has a key or a
        value that its mechanism does not take.
    """
    text = decode_content(read_content(file), file)
    table = parse_table(text, file, parse_float=float)
    list_file_parties(table, file)
    left_out = _describe_left_out(table)
    table["parties"] = {
        name: {key: x for key, x in own.items() if key not in OF_MEMBERS}
        if isinstance(own, Mapping)
        else own
        for name, own in table["parties"].items()
    }
    if own_code := sorted(list_functions(table)):
        raise InputError(
            str(file),
            f"it names code that is not installed, {own_code[0]}",
            "a round runs installed rules only: use one, or run this file at one place",
        )
    rule = find_mechanism(str(table.get("mechanism", "")), f"{file}: key 'mechanism'")
    check_shared_keys(rule.FILE, table, text, file)
    return Draft(file, table, left_out)


def collect_files(
    table: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a collaboration file's content, and the center's own files that it names.

    The center's files, such as its test rows, stay in its private folder; the terms have their
    hashes. What lies in `[parties]` is not looked at.

    Raises
    ------
    InputError
        If a name is not a plain file name, two files share one, or the center's bits or numbers
        stand in the file itself, where all members would read them.
    """
    center = table.get("center")
    for key in ("bits", "numbers"):
        if isinstance(center, dict) and key in center:
            raise InputError(
                f"key 'center.{key}'",
                "all members would read it in the terms",
                'write them to a file, one a line: data = "center.csv"',
            )
    files: dict[str, bytes] = {}
    own = {
        key: x if key in NOT_PARAMETERS else _take_files(x, folder, files)
        for key, x in table.items()
    }
    return own, files


def _take_files(value: Any, folder: Path, files: dict[str, bytes]) -> Any:
    """Note the files that a value names in `files`; return it with plain names for paths."""
    if isinstance(value, dict):
        return {key: _take_files(x, folder, files) for key, x in value.items()}
    if isinstance(value, list):
        return [_take_files(x, folder, files) for x in value]
    if not isinstance(value, str) or not value or "\0" in value or len(value) > 500:
        return value
    path = folder / value
    if not os.path.isfile(path):  # noqa: PTH113 - a text that is too long for a name is not a file
        return value
    content = read_limited(path, MOST_SEALED_BYTES, "make it readable")
    if not FILE_NAME.fullmatch(path.name) or files.get(path.name, content) != content:
        raise InputError(
            str(path), "its name has unusual characters, or is used twice", "rename it"
        )
    files[path.name] = content
    return path.name


def list_file_parties(table: Mapping[str, Any], file: Path) -> list[str]:
    """Return the names of a collaboration file's parties.

    Raises
    ------
    InputError
        If it names none, or one whose name cannot be a folder.
    """
    parties = table.get("parties")
    if not isinstance(parties, dict) or not parties:
        raise InputError(f"{file}: key 'parties'", "it names no party", "use one table per party")
    for name in parties:
        if not is_party_name(name):
            place = f"{file}: key 'parties.{name}'"
            raise InputError(place, "no party of a round can be called so", NAMES)
    return list(parties)


def read_sees(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return who sees which output, as a collaboration file says.

    Raises
    ------
    InputError
        If it is not a table.
    """
    sees = table.get("sees", {})
    if not isinstance(sees, Mapping):
        raise InputError("key 'sees'", "it is not a table", 'write [sees], and shares = "party"')
    return dict(sees)


def draft_terms(
    table: Mapping[str, Any],
    keys: Mapping[str, PublicKeys],
    own: CenterKeys,
    origin: str,
    *,
    missing: str = "cancel",
    serial: int = 1,
    deadlines: Mapping[str, str] | None = None,
    opened: str = "nothing",
    files: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the body of the terms that a collaboration file and the members' keys make.

    Parameters
    ----------
    table
        A draft's.
    keys
        The public keys of each of its parties.
    own
        The center's.
    origin
        The name of the log.
    missing
        What happens if a member is late or leaves: "cancel" or "continue".
    serial
        Number of the round.
    deadlines
        By step; None: there are none.
    opened
        What all see afterwards besides the result: "nothing", "center" or "all".
    files
        Digests of the center's own files, by name; None: there are none.

    """
    parties = table["parties"]
    return {
        "kind": "terms",
        "format": 1,
        "protocol": "round",
        "name": str(table.get("name", "")),
        "serial": serial,
        "previous": None,
        "engine": f"aboveboard {__version__}",
        "mechanism": str(table.get("mechanism", "")),
        "parameters": as_plain(
            {k: v for k, v in state_rule(table).items() if k not in NOT_PARAMETERS}
        ),
        "members": {
            name: {"keys": keys[name].as_dict(), "parameters": as_plain(parties[name])}
            for name in parties
        },
        "order": list(parties),
        "center": own.center.public.as_dict(),
        "log": {"origin": origin, "signing": own.log.public.signing},
        "auditor": None,
        "missing": missing,
        "opened": opened,
        "files": dict(files or {}),
        "sees": read_sees(table),
        "currency": table.get("currency"),
        "rounding": describe_rounding(table["currency"]) if "currency" in table else "",
        "deadlines": dict(deadlines or {}),
    }
