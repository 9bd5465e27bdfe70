"""The demonstration: five lists of disposable e-mail domains, out of installed packages.

The lists are read out of the packages' files as data (no code of theirs runs) and written as lines
of text next to a collaboration file, so that everything after that is what a user would do.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from aboveboard.errors import InputError

DEMO_FILE = """\
name = "Disposable e-mail domains of five maintainers"
mechanism = "exchange.union"
hiding = "partial"
exclusivity = 1
kind = "domain"
seed = 7
"""


def _parse_literal(source: str, name: str) -> Iterable[str]:
    """Return the list or set that a Python file assigns to `name`, without running the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            value: Iterable[str] = ast.literal_eval(node.value)
            return value
    raise LookupError(name)


def _parse_json(source: str) -> Iterable[str]:
    domains: Iterable[str] = json.loads(source)["domains"]
    return domains


# Party, package, file in it, and how the file reads.
LISTS: tuple[tuple[str, str, str, Callable[[str], Iterable[str]]], ...] = (
    (
        "blocklist",
        "disposable-email-domains",
        "disposable_email_domains/__init__.py",
        lambda source: _parse_literal(source, "blocklist"),
    ),
    (
        "mailchecker",
        "mailchecker",
        "MailChecker.py",
        lambda source: _parse_literal(source, "blacklist"),
    ),
    (
        "is-disposable",
        "is-disposable-email",
        "is_disposable_email/_domains.py",
        lambda source: _parse_literal(source, "domains"),
    ),
    (
        "detector",
        "disposable-email-detector",
        "disposable_email_detector/data/disposable-domains.json",
        _parse_json,
    ),
    ("emails", "disposable-emails", "disposable_emails/data/domains.txt", str.splitlines),
)


def read_lists() -> dict[str, list[str]]:
    """Read every maintainer's domains, sorted.

    Raises
    ------
    InputError
        If a package is not installed, or its file differs in form from the version that we know.
    """
    lists = {}
    for party, package, file, domains in LISTS:
        try:
            path = Path(str(distribution(package).locate_file(file)))
        except PackageNotFoundError:
            raise InputError(
                f"package {package}", "it is not installed", "pip install 'aboveboard[demo]'"
            ) from None
        try:
            found = domains(path.read_text(encoding="utf-8"))
            lists[party] = sorted({d.strip() for d in found} - {""})
        except (OSError, SyntaxError, ValueError, LookupError, TypeError) as error:
            raise InputError(
                str(path), f"no list can be read from it ({error})", f"update {package}"
            ) from error
    return lists


def write_lists(folder: Path) -> Path:
    """Write the lists and a collaboration file that names them; return its path.

    Parameters
    ----------
    folder
        Created if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for party, domains in read_lists().items():
        (folder / f"{party}.txt").write_text("\n".join(domains) + "\n", encoding="utf-8")
        tables.append(f'\n[parties.{party}]\ndata = "{party}.txt"\n')
    path = folder / "collaboration.toml"
    path.write_text(DEMO_FILE + "".join(tables), encoding="utf-8")
    return path
