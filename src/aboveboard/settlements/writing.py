"""The settlement folder that a run writes.

It holds, for each party, `parties/NAME/reply.*`; the collaboration file; the report; and
`settlement.json` with every party's benefit, utility and payment, the parameters, the seed, the
day, the version, and the SHA-256 of every input and output. The same inputs give the same bytes on
the same day, if the file names its seed. `source.json` alone depends on where the inputs lie: it
says where `replay` finds them.

A folder appears whole or not at all: it is written beside its place and renamed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.collaborations.collaboration import Collaboration, fingerprint_content
from aboveboard.collaborations.party_names import is_party_name
from aboveboard.collaborations.toml_file import STANDARD_INPUT
from aboveboard.currencies import count_decimals, describe_rounding
from aboveboard.errors import InputError
from aboveboard.evidence.disclosures import list_disclosures
from aboveboard.evidence.keys import write_private
from aboveboard.formatting import encode_number
from aboveboard.formatting.plain_json import Json
from aboveboard.mechanisms.reply_files import write_json, write_reply
from aboveboard.mechanisms.settlement import MANIFEST, Reply, Settlement
from aboveboard.settlements.audiences import list_audiences, protect_folder
from aboveboard.settlements.manifest import (
    SOURCE_FILE,
    fingerprint_file,
    list_files,
    locate_bundle,
    read_manifest,
)
from aboveboard.settlements.money import account_settlement
from aboveboard.settlements.versions import list_versions
from aboveboard.storage.atomic import atomic_folder, flush_file, recover

COPY = "collaboration.toml"
REPORT = "report.html"
ACCOUNTS, JOURNAL = "accounts.csv", "accounts.beancount"
MOST_WRITERS = 4
"""Large replies that are written at the same time."""
SYSTEM_FILES = (".DS_Store", "._*", ".directory", ".nfs*")
"""Files that file managers and file systems make by themselves."""


def summarize(settlement: Settlement) -> dict[str, Json]:
    """Return what other programs rely on: mechanism, each party's numbers and reply, details.

    Examples
    --------
    >>> import aboveboard as ab
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> summary = summarize(ab.run(ab.collaborate("exchange.union", lists, kind="domain")))
    >>> summary["parties"]["acme"]["benefit"], summary["parties"]["acme"]["reply"]
    (1, 'parties/acme/reply.txt')
    """
    return {
        "mechanism": settlement.mechanism,
        "parties": {
            name: {
                "benefit": encode_number(share.benefit),
                "utility": encode_number(share.utility),
                "payment": encode_number(share.payment),
                **{key: encode_number(value) for key, value in share.more.items()},
                "reply": reply_path(name, share.reply),
            }
            for name, share in settlement.parties.items()
        },
        "details": dict(settlement.details),
    }


def reply_path(name: str, reply: Reply) -> str:
    """Return where a party's reply lies in the settlement folder."""
    return f"parties/{name}/reply.{reply.form}"


def write(
    collaboration: Collaboration,
    settlement: Settlement,
    out: Path,
    *,
    report: Callable[[], str],
    pages: Callable[[], Mapping[str, str]] | None = None,
    bundles: Callable[[Mapping[str, str]], Mapping[str, bytes]] | None = None,
    force: bool = False,
    date: str = "",
) -> Path:
    """Write a settlement folder, whole or not at all.

    Parameters
    ----------
    collaboration
        What was run.
    settlement
        What came out.
    out
        The folder to make.
    report
        Makes the report page.
    pages
        Makes further pages after it, by their path in the folder; None: there are none.
    bundles
        Makes each party's bundle from the fingerprints of all replies, by path; None: there are
        none. A replay does not make them again.
    force
        Replace an existing settlement folder; nothing else is ever replaced.
    date
        The day of the run, for the record; empty: none.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If `out` exists (and is not a settlement folder, or `force` is false) or cannot be
        written.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from tempfile import TemporaryDirectory
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> with TemporaryDirectory() as folder:
    ...     out = write(union, ab.run(union), Path(folder, "out"), report=lambda: "<p>a report</p>")
    ...     print(sorted(path.name for path in out.iterdir()))
    ['collaboration.toml', 'parties', 'report.html', 'settlement.json', 'source.json']
    """
    recover(out)
    refuse_existing(out, force=force)
    _refuse_to_replace_inputs(collaboration, out)
    # Something else may be there when the writing ends, so it is checked again.
    replace = partial(refuse_existing, force=True) if force else None
    _refuse_bad_names(settlement)
    with (
        atomic_folder(out, replace=replace) as folder,
        _write_replies(settlement, folder) as finish_replies,
    ):
        others = _write_content(collaboration, settlement, folder, date)
        rendered = tuple(_render_pages(report, pages))  # while large replies are written
        outputs = finish_replies() | others
        if bundles is not None:
            outputs |= _write_bundles(bundles({k: x for k, x in outputs.items() if x}), folder)
        for place, text in rendered:
            (folder / place).write_text(text, encoding="utf-8", newline="\n")
            outputs[place] = fingerprint_file(folder, place)
        write_json(folder / MANIFEST, _make_manifest(collaboration, settlement, outputs, date))
        path = collaboration.path
        source = None if path == STANDARD_INPUT else str(path.resolve())
        write_json(folder / SOURCE_FILE, {"collaboration": source})
        protect_folder(folder)
    return out


def _make_manifest(
    collaboration: Collaboration,
    settlement: Settlement,
    outputs: Mapping[str, str | None],
    date: str,
) -> dict[str, Any]:
    """Return what the folder says of itself: result, inputs, outputs, who sees what, versions."""
    return {
        **summarize(settlement),
        **_summarize_accounts(collaboration, settlement),
        "name": collaboration.file.name,
        "operator": collaboration.file.operator,
        "date": date,
        "seed": collaboration.recorded_seed,
        "parameters": _parameters(collaboration),
        "inputs": {COPY: fingerprint_content(collaboration), **collaboration.inputs},
        "outputs": outputs,
        "audiences": list_audiences(settlement, {*outputs, COPY, MANIFEST, SOURCE_FILE}),
        "discloses": list_disclosures(collaboration),
        "unrepeatable": sorted(settlement.unrepeatable),
        **({"found_by": dict(settlement.found_by)} if settlement.found_by else {}),
        "version": __version__,
        "versions": list_versions(),
    }


def _write_content(
    collaboration: Collaboration,
    settlement: Settlement,
    folder: Path,
    date: str,
) -> dict[str, str | None]:
    """Write all but replies, pages and the manifest; return the fingerprint of each file."""
    outputs: dict[str, str | None] = {}
    for name, reply in settlement.files.items():
        place = f"{name}.{reply.form}"
        write_reply(reply, folder / place)
        outputs[place] = fingerprint_file(folder, place)
    for name, reply in settlement.center.items():
        place = f"center/{name}.{reply.form}"
        (folder / place).parent.mkdir(exist_ok=True)
        write_reply(reply, folder / place)
        outputs[place] = fingerprint_file(folder, place)
    for place, text in _format_accounts(collaboration, settlement, date).items():
        (folder / place).write_text(text, encoding="utf-8", newline="\n")
        outputs[place] = fingerprint_file(folder, place)
    (folder / COPY).write_bytes(collaboration.content)
    return outputs


@contextmanager
def _write_replies(
    settlement: Settlement, folder: Path
) -> Iterator[Callable[[], dict[str, str | None]]]:
    """Write replies; yield what waits for them and returns the fingerprint of each, by path.

    Those that are computed as they are written are written beside what the caller does, several at
    a time, and brought to the disk as they end.
    """
    replies = {reply_path(name, s.reply): s.reply for name, s in settlement.parties.items()}
    for place in replies:
        (folder / place).parent.mkdir(parents=True)

    def write_one(place: str) -> str | None:
        write_reply(replies[place], folder / place)
        fingerprint = fingerprint_file(folder, place)
        if replies[place].scan is not None:
            flush_file(folder / place)
        return fingerprint

    pool = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_WRITERS))
    try:
        large = [place for place, reply in replies.items() if reply.scan is not None]
        begun = {place: pool.submit(write_one, place) for place in large}
        small = {place: write_one(place) for place in replies if place not in begun}
        yield lambda: {
            place: begun[place].result() if place in begun else small[place] for place in replies
        }
    finally:
        pool.shutdown(cancel_futures=True)


def _write_bundles(bundles: Mapping[str, bytes], folder: Path) -> dict[str, str | None]:
    """Write bundles that only the operator can read; return the fingerprint of each."""
    outputs = {}
    for name, content in bundles.items():
        place = locate_bundle(name)
        (folder / place).parent.chmod(0o700)
        write_private(folder / place, content)
        outputs[place] = fingerprint_file(folder, place)
    return outputs


def _render_pages(
    report: Callable[[], str], pages: Callable[[], Mapping[str, str]] | None
) -> Iterator[tuple[str, str]]:
    yield REPORT, report()
    if pages is not None:
        yield from pages().items()


def _format_accounts(
    collaboration: Collaboration, settlement: Settlement, date: str
) -> dict[str, str]:
    """Return the accounts by file name, where the collaboration has a currency."""
    if not collaboration.file.currency:
        return {}
    accounts = account_settlement(settlement, collaboration.file.currency)
    title = collaboration.file.name or collaboration.mechanism.NAME
    return {ACCOUNTS: accounts.as_csv(), JOURNAL: accounts.as_journal(date, title)}


def _summarize_accounts(collaboration: Collaboration, settlement: Settlement) -> dict[str, Any]:
    """Return what the manifest says of whole cents, where the collaboration has a currency."""
    if not collaboration.file.currency:
        return {}
    accounts = account_settlement(settlement, collaboration.file.currency)
    return {
        "accounts": {
            "currency": accounts.currency,
            "rounding": describe_rounding(accounts.currency),
            "decimals": count_decimals(accounts.currency),
            "cents": dict(accounts.cents),
            "center_bears_cents": encode_number(accounts.difference),
        }
    }


def _refuse_bad_names(settlement: Settlement) -> None:
    """Raise `InputError` if a rule, perhaps a user's own, would write outside the folder."""
    for name in (*settlement.parties, *settlement.files, *settlement.center):
        if not is_party_name(name):
            raise InputError(
                f"mechanism {settlement.mechanism!r}",
                f"it names a party or a file {name!r}",
                "these name files: letters, digits, spaces, '.', '_' and '-'",
            )


def refuse_existing(out: Path, *, force: bool) -> None:
    """Raise `InputError` if `out` exists and must not be replaced, or lies in a settlement."""
    out = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow a link at the end
    for above in out.parents:
        if (above / MANIFEST).is_file():
            raise InputError(
                str(out), f"it lies in the settlement folder {above}", "name a folder elsewhere"
            )
    if not os.path.lexists(out):
        return
    if out.is_symlink() or not (out / MANIFEST).is_file():
        raise InputError(
            str(out),
            "it exists and is not a settlement folder",
            "name a folder that does not exist yet with --out",
        )
    if not force:
        raise InputError(
            str(out), "it exists", "name another folder, or replace this one with --force"
        )
    unknown = list_files(out) - set(read_manifest(out)["outputs"]) - {COPY, MANIFEST}
    foreign = sorted(
        name
        for name in unknown
        if not any(fnmatchcase(name.rpartition("/")[2], made) for made in SYSTEM_FILES)
    )
    if foreign:
        raise InputError(
            str(out), f"it holds {foreign[0]}, which no run wrote", "move that elsewhere first"
        )


def _refuse_to_replace_inputs(collaboration: Collaboration, out: Path) -> None:
    """Raise `InputError` if an input lies in the folder that would be replaced."""
    folder = collaboration.path.parent
    for path in (collaboration.path, *(folder / name for name in collaboration.inputs)):
        if path.resolve().is_relative_to(out.resolve()):
            raise InputError(
                str(out), f"it holds {path.name}, an input of the run", "name another folder"
            )


def _parameters(collaboration: Collaboration) -> dict[str, Any]:
    """Return all keys with their values, the defaults filled in."""
    parameters = {str(k): _encode(v) for k, v in _list_fields(collaboration.file).items()}
    return parameters | {"seed": collaboration.recorded_seed}


def _list_fields(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}


def _encode(value: Any) -> Any:
    if hasattr(type(value), "model_fields"):
        return {k: _encode(v) for k, v in _list_fields(value).items()}
    if isinstance(value, dict):
        return {str(k): _encode(v) for k, v in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_encode(v) for v in value)
    if isinstance(value, list | tuple):
        return [_encode(v) for v in value]
    if isinstance(value, Path):
        return value.as_posix()
    return encode_number(value) if not isinstance(value, str | bool | None) else value
