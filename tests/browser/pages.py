"""The pages that the browser opens: each system's run and audit, and hard cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import aboveboard as ab
from aboveboard.auditing import Budget
from aboveboard.collaborations.registry import load_mechanisms
from aboveboard.commands.auditing import audit_collaboration
from aboveboard.commands.running import settle

EXAMPLES = Path(__file__).parents[2] / "examples"

# Examples whose data lie in the repository; the others are stood for by starting files.
READY = (
    "exchange/interval/collaboration",
    "exchange/average/collaboration",
    "exchange/contribution/collaboration",
    "valuation/collaboration",
    "learning/payments/collaboration",
    "market/collaboration",
    "curation/airlines/truthful",
)
STARTED = (
    "exchange.union",
    "learning.desirable",
    "market.vcg",
    "market.naive_2",
    "valuation.payments",
)

LONG = "The-Long-Named-Consortium-Of-Independent-Blocklist-Maintainer"
LYING_PAYS = f"""\
name = "{"A very long name of a collaboration " * 3}{LONG * 2}"
mechanism = "exchange.union"
exclusivity = "1/2"
[parties.{LONG}-1]
elements = ["0", "1", "2"]
[parties.{LONG}-2]
elements = ["1", "2"]
[parties.{LONG}-3]
elements = ["2"]
"""
MANY = """\
name = "A hundred and twenty schools"
mechanism = "valuation.payments"
fairness = "users"
alpha = 0.5
[utility]
kind = "federated-mean"
s2 = 1.0
t2 = 10.0
""" + "".join(f"[parties.school-{k:03}]\nlevel = {k % 3}\nsamples = 10\n" for k in range(120))
ONE = """\
name = "数据交换 <b>&amp; Größe"
mechanism = "exchange.union"
[parties.alone]
elements = ["ä", "数据"]
"""

UNAUDITED = ("valuation", "market", "learning/payments")
NAMES = (
    *(f"{place.removesuffix('/collaboration')}-run" for place in READY),
    *(f"{name}-run" for name in (*STARTED, "lying-pays", "many", "one")),
    *(
        f"{name}-audit"
        for name in (*(place.removesuffix("/collaboration") for place in READY), *STARTED,
                     "lying-pays")
        if name not in UNAUDITED
    ),
)  # fmt: skip
"""What `made` gives, known before anything is made."""

TYPICAL = (
    "exchange/contribution-run", "exchange.union-audit", "valuation-run", "learning.desirable-run",
    "market-run", "market.naive_2-audit", "curation/airlines/truthful-audit", "lying-pays-audit",
    "one-run",
)  # fmt: skip
"""One page of each make: a test that takes a second a page looks at these."""


def made(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each page's name and HTML; files are written into `folder`.

    Some audits, of seconds, are left out: those of the starting files look the same.
    """
    for place in READY:
        name, path = place.removesuffix("/collaboration"), EXAMPLES / f"{place}.toml"
        if f"{name}-audit" in NAMES:
            yield from _both(name, path, folder)
        else:
            yield f"{name}-run", _run(path, folder / "out" / name)
    known = load_mechanisms()
    for name in STARTED:
        yield from _both(name, _written(folder, name, known[name].STARTING_FILE), folder)
    yield from _both("lying-pays", _written(folder, "lying-pays", LYING_PAYS), folder)
    for name, text in (("many", MANY), ("one", ONE)):
        yield f"{name}-run", _run(_written(folder, name, text), folder / "out" / name)


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _both(name: str, path: Path, folder: Path) -> Iterator[tuple[str, str]]:
    yield f"{name}-run", _run(path, folder / "out" / name)
    yield (
        f"{name}-audit",
        audit_collaboration(ab.load(path, trust_code=True), budget=Budget(samples=200)).report(),
    )


def _run(path: Path, out: Path) -> str:
    out.parent.mkdir(parents=True, exist_ok=True)
    settle(ab.load(path, trust_code=True), out)
    return (out / "report.html").read_text(encoding="utf-8")
