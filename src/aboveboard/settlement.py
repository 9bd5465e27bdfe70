"""What a run writes, and how it is run again.

A settlement folder holds, for each party, `parties/NAME/reply.*`; the collaboration file; the
report; and `settlement.json` with everybody's benefit, utility and payment, the parameters, the
seed, the version, and the SHA-256 of every input and output. The same inputs give the same bytes.
`source.json` alone depends on where the inputs lie: it tells `replay` where to find them.

A folder appears whole or not at all: it is written beside its place and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard._version import __version__
from aboveboard.auditing.verdict import plain
from aboveboard.collaboration import Collaboration, content_fingerprint, load
from aboveboard.errors import InputError
from aboveboard.mechanism import MANIFEST, Reply, Settlement

SOURCE = "source.json"
COPY = "collaboration.toml"
REPORT = "report.html"


def summary(settlement: Settlement) -> dict[str, Any]:
    """Give what other programs rely on: mechanism, each party's numbers and reply, details."""
    return {
        "mechanism": settlement.mechanism,
        "parties": {
            name: {
                "benefit": plain(share.benefit),
                "utility": plain(share.utility),
                "payment": plain(share.payment),
                **{key: plain(value) for key, value in share.more.items()},
                "reply": reply_path(name, share.reply),
            }
            for name, share in settlement.parties.items()
        },
        "details": dict(settlement.details),
    }


def reply_path(name: str, reply: Reply) -> str:
    """Give where a party's reply lies in the settlement folder."""
    return f"parties/{name}/reply.{reply.form}"


def write(
    collaboration: Collaboration,
    settlement: Settlement,
    out: Path,
    *,
    report: Callable[[], str],
    force: bool = False,
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
    force
        Replace an existing settlement folder; nothing else is ever replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If `out` exists (and is no settlement folder, or `force` is not given) or cannot be
        written.
    """
    with whole_folder(out, force=force) as folder:
        outputs = _write_content(collaboration, settlement, folder, report)
        manifest = {
            **summary(settlement),
            "name": collaboration.file.name,
            "seed": collaboration.file.seed,
            "parameters": _parameters(collaboration),
            "inputs": {COPY: content_fingerprint(collaboration), **collaboration.inputs},
            "outputs": outputs,
            "unrepeatable": sorted(settlement.unrepeatable),
            "version": __version__,
        }
        _write_json(folder / MANIFEST, manifest)
        _write_json(folder / SOURCE, {"collaboration": str(collaboration.path.resolve())})
    return out


def _write_content(
    collaboration: Collaboration,
    settlement: Settlement,
    folder: Path,
    report: Callable[[], str],
) -> dict[str, str]:
    """Write everything but the manifest; give the fingerprint of each file."""
    outputs = {}
    for name, share in settlement.parties.items():
        place = reply_path(name, share.reply)
        (folder / place).parent.mkdir(parents=True)
        write_reply(share.reply, folder / place)
        outputs[place] = _fingerprint_of(folder / place)
    for name, reply in settlement.files.items():
        place = f"{name}.{reply.form}"
        write_reply(reply, folder / place)
        outputs[place] = _fingerprint_of(folder / place)
    (folder / COPY).write_bytes(collaboration.content)
    (folder / REPORT).write_text(report(), encoding="utf-8", newline="\n")
    outputs[REPORT] = _fingerprint_of(folder / REPORT)
    return outputs


def write_reply(reply: Reply, path: Path) -> None:
    """Write one party's reply in the party's own form."""
    if reply.content is not None:
        path.write_bytes(reply.content)
        return
    if reply.rows is None:
        _write_json(path, reply.data)
        return
    frame = reply.rows()
    if reply.form == "parquet":
        frame.write_parquet(path)
    elif reply.form == "csv":
        frame.write_csv(path)
    else:
        frame.write_csv(path, include_header=False, quote_style="never")


@contextmanager
def whole_folder(out: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary folder that takes the place of `out` if all goes well."""
    refuse_existing(out, force=force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise InputError(
            str(out), f"it cannot be written ({error.strerror})", "name another folder with --out"
        ) from error
    try:
        temporary.chmod(0o755)
        yield temporary
        _put_in_place(temporary, out)
    except OSError as error:
        raise InputError(
            str(out),
            f"writing it failed ({error.strerror or error})",
            "nothing was left behind; make room or name another folder with --out",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_existing(out: Path, *, force: bool) -> None:
    """Raise `InputError` if `out` exists and must not be replaced."""
    if not (out.exists() or out.is_symlink()):
        return
    if not (out / MANIFEST).is_file() or out.is_symlink():
        raise InputError(
            str(out),
            "it exists and is not a settlement folder",
            "name a folder that does not exist yet with --out",
        )
    if not force:
        raise InputError(
            str(out), "it exists", "name another folder, or replace this one with --force"
        )


def _put_in_place(temporary: Path, out: Path) -> None:
    if not out.exists():
        temporary.rename(out)
        return
    # Two renames: whoever looks meanwhile sees the old folder, none, or the new one.
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    out.rename(old / out.name)
    temporary.rename(out)
    shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Replay:
    """What running a settlement again found.

    Parameters
    ----------
    folder
        The settlement folder.
    files
        How many files were compared.
    differ
        Those whose bytes differ, are missing, or were added.
    """

    folder: Path
    files: int
    differ: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "folder": str(self.folder),
            "same": not self.differ,
            "files": self.files,
            "differ": list(self.differ),
        }


def replay(
    folder: Path, settle_again: Callable[[Collaboration, Path], object], source: Path | None = None
) -> Replay:
    """Run a settlement again from its inputs and compare every byte.

    Parameters
    ----------
    folder
        A settlement folder.
    settle_again
        Runs a collaboration into a folder, as `aboveboard run` does.
    source
        The collaboration file, if it is no longer where it was.

    Raises
    ------
    InputError
        If the folder is no settlement folder, or an input is missing or has changed.
    """
    manifest = _manifest(folder)
    path = source or _source(folder)
    collaboration = load(path)
    now = {COPY: content_fingerprint(collaboration), **collaboration.inputs}
    for name, digest in manifest["inputs"].items():
        if now.get(name) != digest:
            where = path if name == COPY else path.parent / name
            raise InputError(
                str(where),
                "it has changed since the run",
                "a replay needs the same inputs; restore it, or run anew",
            )
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch) / "again"
        settle_again(collaboration, again)
        names = sorted(_files(folder) | _files(again))
        drawn = frozenset(manifest["unrepeatable"])
        differ = tuple(n for n in names if not _repeats(n, folder, again, manifest, drawn))
    return Replay(folder, len(names), differ)


def _repeats(
    name: str, folder: Path, again: Path, manifest: dict[str, Any], drawn: frozenset[str]
) -> bool:
    """Say whether a file is as it should be: made again, or, where drawn, as it was recorded."""
    if name in drawn:
        path = folder / name
        recorded = manifest["outputs"].get(name)
        return path.is_file() and _fingerprint_of(path) == recorded
    if name == MANIFEST and drawn:
        return bool(_without(folder / name, drawn) == _without(again / name, drawn))
    return _same(folder / name, again / name)


def _without(path: Path, drawn: frozenset[str]) -> Any:
    """Give a manifest without the fingerprints of what was drawn; None if it cannot be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return data | {"outputs": {k: v for k, v in data["outputs"].items() if k not in drawn}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        drawn = manifest["unrepeatable"]
        listed = isinstance(drawn, list) and all(isinstance(name, str) for name in drawn)
        if (
            listed
            and isinstance(manifest["inputs"], dict)
            and isinstance(manifest["outputs"], dict)
        ):
            return dict(manifest)
    except FileNotFoundError:
        raise InputError(
            str(folder), f"there is no {MANIFEST} in it", "give a folder that 'run' wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(
        str(folder / MANIFEST),
        "it is not a settlement's manifest",
        "give a folder that 'run' wrote",
    )


def _source(folder: Path) -> Path:
    try:
        source = json.loads((folder / SOURCE).read_text(encoding="utf-8"))
        return Path(source["collaboration"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            str(folder / SOURCE),
            "it does not tell where the collaboration file lies",
            "name the collaboration file with --file",
        ) from None


def _files(folder: Path) -> set[str]:
    """List the files of a settlement folder but the one that depends on the place."""
    found = {
        (Path(root) / name).relative_to(folder).as_posix()
        for root, _, names in os.walk(folder)
        for name in names
    }
    return found - {SOURCE}


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def _parameters(collaboration: Collaboration) -> dict[str, Any]:
    """Give all keys with their values, the defaults filled in."""
    return {str(k): _data(v) for k, v in _fields(collaboration.file).items()}


def _fields(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}


def _data(value: Any) -> Any:
    if hasattr(type(value), "model_fields"):
        return {k: _data(v) for k, v in _fields(value).items()}
    if isinstance(value, dict):
        return {str(k): _data(v) for k, v in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_data(v) for v in value)
    if isinstance(value, list | tuple):
        return [_data(v) for v in value]
    if isinstance(value, Path):
        return value.as_posix()
    return plain(value) if not isinstance(value, str | bool | None) else value


def _write_json(path: Path, data: Any) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def _fingerprint_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
