"""Golden bundles: what was once handed out is verified for ever, and corrupted ones never are.

`python tests/evidence/test_golden.py` writes them anew, which a change of format alone needs: then
the version of the bundle must change too.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.cases import Delivery
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.verification import verify_bundle

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("run-union", "run-valuation", "round-union", "round-average")


def verify(content: bytes, folder: Path) -> Findings:
    """Verify a bundle with the golden folder's own file, reply and key."""
    known = json.loads((folder / "known.json").read_text())
    key = None if known["key"] is None else bytes.fromhex(known["key"])
    bundle = decode_bundle(content, "bundle")
    reply = folder / known["reply"]
    return verify_bundle(Delivery(bundle, folder / known["mine"], reply, key, known["terms"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_bundle_is_verified(name: str) -> None:
    if name == "round-average":
        pytest.importorskip("nacl", reason="PyNaCl is an extra")
    folder = GOLDEN / name
    found = verify((folder / "bundle.json").read_bytes(), folder)
    assert found.exit_status == 0, str(found)
    assert found.as_dict() == json.loads((folder / "findings.json").read_text())


@pytest.mark.parametrize("name", ["run-union", pytest.param("round-union", marks=pytest.mark.deep)])
def test_a_corrupted_bundle_is_refused_or_says_nothing_else(name: str) -> None:
    folder, rng = GOLDEN / name, random.Random(5)
    content = (folder / "bundle.json").read_bytes()
    honest, refused = verify(content, folder).as_dict(), 0
    for _ in range(60):
        at = rng.randrange(len(content))
        other = bytes([rng.choice(b'0123456789abcdefxyz{}[]",:')])
        changed = content[:at] + other + content[at + 1 :]
        try:
            found = verify(changed, folder)
        except InputError:
            refused += 1
            continue
        refused += found.exit_status != 0
        said = [each for each in found.verified if each not in honest["verified"]]
        # Who cosigned may get lost: nobody needs it.
        assert found.exit_status != 0 or all(each.startswith("this log was c") for each in said)
    assert refused > 30


def write_golden() -> None:
    from rounds_of_files import hold_round
    from runs_by_hand import run_starting_file

    with TemporaryDirectory() as scratch:
        for name, mechanism in (("run-union", "exchange.union"),
                                ("run-valuation", "valuation.payments")):  # fmt: skip
            place = Path(scratch) / name
            place.mkdir()
            run = run_starting_file(mechanism, place)
            party = run.names[0]
            keep(name, run.home(party), run.mine(party), None, None)
        for name, mechanism in (("round-union", "exchange.union"),
                                ("round-average", "exchange.average")):  # fmt: skip
            place = Path(scratch) / name
            sums = "committed" if mechanism == "exchange.average" else "center"
            held = hold_round(mechanism, place, opened="nothing", sums=sums)
            party = held.names[0]
            terms = json.loads((held.result(party) / "bundle.json").read_bytes())["entries"][0]
            keep(name, held.result(party), held.mine(party), held.part(party).key, terms)


def keep(name: str, result: Path, mine: Path, key: bytes | None, terms: str | None) -> None:
    """Copy what a party has into the folder of golden bundles."""
    import hashlib

    folder = GOLDEN / name
    folder.mkdir(parents=True, exist_ok=True)
    reply = next(p for p in result.iterdir() if p.name.startswith("reply."))
    for path, target in ((result / "bundle.json", "bundle.json"), (mine, "mine.toml"),
                         (reply, reply.name)):  # fmt: skip
        (folder / target).write_bytes(path.read_bytes())
    known = {
        "key": None if key is None else key.hex(),
        "mine": "mine.toml",
        "reply": reply.name,
        "terms": None if terms is None else hashlib.sha256(terms.encode()).hexdigest(),
    }
    (folder / "known.json").write_text(json.dumps(known, indent=1) + "\n")
    found = verify((folder / "bundle.json").read_bytes(), folder)
    assert found.exit_status == 0, str(found)
    (folder / "findings.json").write_text(json.dumps(found.as_dict(), indent=1) + "\n")


if __name__ == "__main__":
    write_golden()
    sys.exit()
