"""What others' private numbers can a party compute from its files? An inversion test.

Many worlds are settled in which one party has the same input and the others have other ones. Where
that party is handed the same reply and gains and pays the same, all that it can read must be the
same, up to what the manifest lists under `discloses`: then nothing else can be computed from it.
Keyed hashes and signatures differ between worlds, and are compared with unkeyed ones instead.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import aboveboard as ab
from aboveboard.collaborations.collaboration import settle_outcome
from aboveboard.commands.running import draw_settlement, run_collaboration
from aboveboard.evidence.canonical import encode_canonical
from aboveboard.evidence.centers import CenterKeys
from aboveboard.evidence.hidden_shares import list_shown_numbers
from aboveboard.evidence.keys import generate_keys
from aboveboard.evidence.local_runs import ReplyFile, make_bundles
from aboveboard.mechanisms.reply_files import write_reply
from aboveboard.report.statements import render_statements

OPERATOR = CenterKeys(generate_keys(), generate_keys())
OPAQUE = re.compile(r"^(?:ed25519:|x25519:)?[0-9a-f]{32,}$")
GOOD = 'endowment = ["g"]\n'
CURATION = ("fair", "competitive", "indicator", "straightforward", "always_all", "always_noise")


def bid(value: int) -> str:
    return f'values = [{{goods = ["g"], value = {value}}}]\n'


def point(value: int) -> str:
    return f"point = [{value}]\n"


WORLDS: dict[str, tuple[str, str, Any, tuple[int, ...]]] = {
    # By mechanism: keys of the file, the first party's input, what another brings, and numbers.
    "exchange.average": ("", "point = [1]\n", point, (0, 1, 2, 3)),
    "exchange.interval": (
        "", "interval = [0, 4]\n", lambda x: f"interval = [{x}, {x + 4}]\n", (0, 1, 2, 3),
    ),
    "market.vcg": ("bits = 3\n", GOOD + bid(1), bid, (0, 1, 2, 3)),
    "market.naive_1": ("bits = 3\n", GOOD + bid(1), bid, (0, 1, 2, 3)),
    "market.propose_and_agree": ("bits = 3\n", GOOD + bid(1), bid, (0, 1, 2, 3)),
    **{
        f"market.naive_{k}": ("bits = 3\n", GOOD + bid(1), bid, (0, 1, 3)) for k in (2, 3, 4)
    },
    "exchange.contribution": (
        "values = [0, 3, 2, 4, 1, 4, 3, 6]\n", "", lambda _: "", (0,),
    ),
    "exchange.union": (
        'sees = {regions = "center", shares = "party"}\n', 'elements = ["a", "b"]\n',
        lambda x: f'elements = {json.dumps(["a", "c", "d"][: x + 1])}\n', (0, 1, 2),
    ),
    **{
        f"curation.{kind}": (
            '[function]\nkind = "majority"\n[center]\nbits = [1, 0, 1, 1]\n',
            "price = 0.1\nbits = [1, 1, 0, 1]\n",
            lambda x: f"price = 0.1\nbits = {[x & 1, x >> 1 & 1, 0, 1]}\n",
            (0, 1, 2, 3) if kind == "fair" else (0, 3),
        )
        for kind in CURATION
    },
    "learning.desirable": (
        '[quality]\nkind = "identity"\n[valuation]\nkind = "growth"\n'
        "alpha = -0.7\n[grid]\nstep = 1\nmax = 4\nzero = false\n", "size = 3\n",
        lambda x: f"size = {x + 1}\n", (0, 1, 2),
    ),
    # A model that knows of rows only where its threshold lies: others differ far from it.
    "learning.payments, trained": (
        '[valuation]\nkind = "linear"\n'
        "matrix = [[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]\n[training]\n"
        'estimator = "sklearn.tree.DecisionTreeClassifier"\nmethod = "pooled"\nlabel = "y"\n'
        'parameters = {max_depth = 1, random_state = 0}\ntest = "test.csv"\n',
        'data = "a.csv"\n', lambda _: 'data = "PARTY.csv"\n', (0, 2),
    ),
    "learning.payments": (
        '[quality]\nkind = "identity"\n[valuation]\nkind = "linear"\n'
        "matrix = [[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]\n", "size = 2\n",
        lambda x: f"size = {x + 1}\n", (0, 1),
    ),
    "valuation.payments": (
        '[utility]\nkind = "table"\nvalues = [0, 1, 2, 3, 2, 4, 4, 6]\n', "", lambda _: "", (0,),
    ),
}  # fmt: skip
"""Mechanisms with small worlds of three parties."""

QUICK = ("exchange.interval", "market.vcg")

FACTS = {
    "exchange.union": {"names", "rule", "order", "union"},
    "exchange.contribution": set(),
    "valuation.payments": {"users", "utility", "estimated", "total"},
    "learning.payments": {"order", "trained", "sizes"},
    **{
        f"market.{kind}": {
            "players", "goods", "endowment", "bits", "step", "epsilon", "delta", "announced",
            "votes", "ending", "announcements",
        }
        for kind in ("propose_and_agree", "naive_1", "naive_2", "naive_3", "naive_4")
    },
    **{f"curation.{kind}": {"agents", "answered", "rounds"} for kind in CURATION},
    "learning.desirable": {"order", "sizes"},
    "learning.payments, trained": {"order", "trained", "sizes"},
}  # fmt: skip
"""By mechanism: the facts that `discloses` lists in words."""


def write_file(name: str, numbers: tuple[int, ...]) -> str:
    keys, own, other, _ = WORLDS[name]
    head, _, tables = keys.partition("[")
    text = f'mechanism = "{name.partition(",")[0]}"\nseed = "{"5f" * 32}"\n{head}'
    text += f"[{tables}" if tables else ""
    text += f"[parties.a]\n{own}"
    others = zip("bc", numbers, strict=True)
    return text + "".join(f"[parties.{n}]\n{other(x).replace('PARTY', n)}" for n, x in others)


def mask(data: Any, facts: set[str]) -> Any:
    """Return plain data without keyed hashes, signatures, and the facts that are disclosed."""
    if isinstance(data, dict):
        return {key: mask(x, facts) for key, x in data.items() if key not in facts}
    if isinstance(data, list):
        return [mask(x, facts) for x in data]
    if isinstance(data, str):
        if data.startswith("{"):
            return mask(json.loads(data), facts)
        return "?" if OPAQUE.match(data) else data
    return data


def settle_world(name: str, numbers: tuple[int, ...], folder: Path) -> tuple[Any, Any, str]:
    """Return what a is handed, what else it reads, and all of its files as text."""
    path = folder / "c.toml"
    path.write_text(write_file(name, numbers))
    for party, k in zip("abc", (0, *numbers), strict=True):
        places = (-k - 1.5, -2 * k - 2.5, 5.25, 5.75, 10.5 + k, 11.5 + 2 * k)
        rows = [f"{x},{int(x > 5.5)}" for x in places]
        (folder / f"{party}.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    (folder / "test.csv").write_text(
        "x,y\n" + "".join(f"{x},{int(x > 5)}\n" for x in range(-24, 36))
    )
    collaboration = ab.load(path)
    settlement = draw_settlement(settle_outcome(collaboration), collaboration.file.seed)
    replies = {}
    for party, share in settlement.parties.items():
        place = folder / f"{party}.{share.reply.form}"
        write_reply(share.reply, place)
        digest = hashlib.sha256(place.read_bytes()).hexdigest()
        replies[party] = ReplyFile(place.name, digest)
    own = settlement.parties["a"]
    bundle = json.loads(make_bundles(collaboration, settlement, OPERATOR, replies)["a"])
    page = dict(render_statements(collaboration, settlement))["a"]
    text = json.dumps(bundle) + page
    bundle.pop("checkpoint")
    handed = (replies["a"].sha256, str(own.benefit), str(own.payment))
    rule, shares = collaboration.mechanism.NAME, collaboration.file.sees.shares
    told = FACTS.get(name, set()) | list_shown_numbers(rule, shares)
    seen = (mask(bundle, told), find_rivals(page))
    return handed, seen, text


def find_rivals(page: str) -> list[tuple[str, str]]:
    """Return the entries of a page without those that `discloses` lists."""
    entries = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    return [entry for entry in entries if entry[0] != "Rivals"]


def list_worlds(name: str) -> Iterator[tuple[int, ...]]:
    return product(WORLDS[name][3], repeat=2)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.deep) for name in WORLDS],
)
def test_the_same_reply_and_share_leave_the_same_files(tmp_path: Path, name: str) -> None:
    groups = defaultdict(list)
    for numbers in list_worlds(name):
        handed, seen, _ = settle_world(name, numbers, tmp_path)
        groups[handed].append((numbers, seen))
    for worlds in groups.values():
        first = worlds[0][1]
        for numbers, seen in worlds[1:]:
            if name == "exchange.union" and seen != first:
                seen, first = drop_sizes(seen), drop_sizes(first)
            assert seen == first, f"{numbers} is told from {worlds[0][0]}"
    if name in {
        "exchange.average", "exchange.interval", "market.vcg", "learning.payments, trained",
        "curation.always_noise", "learning.desirable",
    }:  # fmt: skip
        assert max(map(len, groups.values())) > 1  # else the test would say nothing


def drop_sizes(seen: Any) -> Any:
    """Return what is seen without the sizes of lists, and the openings that hang on their trees."""
    bundle, entries = seen
    return mask(bundle, {"size", "positions", "openings", "commitments"}), entries


@pytest.mark.parametrize(
    "name",
    [
        "exchange.average", "market.vcg", "exchange.interval",
        pytest.param("learning.payments, trained", marks=pytest.mark.deep),
    ],
)  # fmt: skip
def test_no_party_holds_an_unkeyed_hash_of_what_is_not_its_own(tmp_path: Path, name: str) -> None:
    numbers = tuple(WORLDS[name][3][-2:])
    _, _, text = settle_world(name, numbers, tmp_path)
    if name.endswith("trained"):  # the file names data and holds none: its hash is for all
        (tmp_path / "c.toml").unlink()
    guesses = [(tmp_path / file.name).read_bytes() for file in tmp_path.iterdir()
               if not file.name.startswith("a.")]  # fmt: skip
    _, _, other, _ = WORLDS[name]
    for value in WORLDS[name][3]:
        table = tomllib.loads(other(value))
        guesses += [encode_canonical(table), encode_canonical({"files": {}, "table": table})]
    for guess in set(guesses) - {file.read_bytes() for file in tmp_path.glob("a.*")}:
        for kind in ("sha256", "blake2b", "sha512"):
            assert hashlib.new(kind, guess).hexdigest() not in text
        assert hashlib.blake2b(guess, digest_size=32).hexdigest() not in text


def test_the_manifest_lists_what_files_of_parties_tell_of_others(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(write_file("market.vcg", (2, 3)))
    run_collaboration(ab.load(tmp_path / "c.toml"), tmp_path / "vcg")
    told = json.loads((tmp_path / "vcg/settlement.json").read_text())["discloses"]
    assert set(told) == {"reply", "bundle.json", "statement.html"}
    assert told["bundle.json"] == []
    (tmp_path / "u.toml").write_text(
        'mechanism = "exchange.union"\nseed = 1\n[parties.a]\nelements = ["x"]\n'
        '[parties.b]\nelements = ["y"]\n'
    )
    run_collaboration(ab.load(tmp_path / "u.toml"), tmp_path / "union")
    told = json.loads((tmp_path / "union/settlement.json").read_text())["discloses"]
    assert "how many elements each overlap of lists has" in told["bundle.json"]


def test_overlaps_stay_with_the_center_where_the_file_says_so(tmp_path: Path) -> None:
    text = 'mechanism = "exchange.union"\nseed = 1\nsees = {regions = "center"}\n' + "".join(
        f"[parties.{n}]\nelements = {json.dumps(x.split())}\n"
        for n, x in (("a", "x y"), ("b", "y z"), ("c", "z w"))
    )
    (tmp_path / "c.toml").write_text(text)
    run_collaboration(ab.load(tmp_path / "c.toml"), tmp_path / "out", operator=OPERATOR)
    manifest = json.loads((tmp_path / "out/settlement.json").read_text())
    assert not any("overlap" in x for told in manifest["discloses"].values() for x in told)
    for place in manifest["audiences"]["parties"]["a"]:
        read = (tmp_path / "out" / place).read_text()
        assert '\\"regions\\":[[' not in read
        assert "Of these went out" not in read
