"""The evidence: what members commit and verify, and what a run's bundles cost.

Three lists of 50,000, 50,000 and 25,000 domains, as the demonstration's largest are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from aboveboard.commands import rounds
from aboveboard.evidence.blinded_tokens import (
    blind_elements,
    blind_tokens,
    count_common,
    generate_blinding,
    hash_to_point,
)
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.trees import EMPTY_ROOT, hash_children, hash_leaf
from benchmarks.comparison import Case, Measured, Scale, Section, Timing, agree
from benchmarks.machine import ROOT
from benchmarks.timing import peak_of, timed

SEED = 7
KEY = b"k" * 32
MIB = 2**20

COMMIT = "commit: salted tree of a list"
VERIFY = "verify: a party's bundle of a run"
RUN = "run: from the collaboration file to the settlement folder"
TOKENS = "blinded tokens: one member blinds a list once"


def section(scale: Scale) -> Section:
    """Return the section."""
    full = scale == "full"
    sizes = (50_000, 50_000, 25_000) if full else (300, 200, 100)
    most = 1_000_000 if full else 1_000
    tokens = 100_000 if full else 20
    listed = ", ".join(f"{size:,}" for size in sizes)
    return Section(
        "evidence",
        "Evidence",
        "What each party's proofs cost: members commit and verify on their own machines, one core.",
        (
            Case(
                COMMIT,
                f"{sizes[0]:,} elements",
                "the recursion of RFC 9162",
                "Both salt every element and hash all of them. Theirs splits the list as the "
                "definition does. The same root.",
                partial(commit, sizes[0], recursion=True),
            ),
            Case(
                COMMIT,
                f"{most:,} elements",
                "",
                "Ours alone; memory is the most that Python held at once, the elements included.",
                partial(commit, most, recursion=False),
            ),
            Case(
                VERIFY,
                f"lists of {listed}",
                "",
                "The largest party's: every signature, its own list, every element that it was "
                "handed, the hand-out order up to its last element, and all gains.",
                partial(verify, sizes),
            ),
            Case(
                RUN,
                f"lists of {listed}",
                "the same run without bundles",
                "Processes of their own, imports included. The same replies.",
                partial(run, sizes),
            ),
            Case(
                TOKENS,
                f"{tokens:,} elements",
                "",
                "Points of ed25519, multiplied by PyNaCl. In a round each member does this once "
                "for every list.",
                partial(blind, tokens),
            ),
        ),
    )


@cache
def make_names(amount: int) -> list[str]:
    generator = np.random.default_rng(SEED)
    return [f"{x:x}.example.com" for x in generator.choice(2**40, amount, replace=False).tolist()]


def make_elements(amount: int) -> list[bytes]:
    return [name.encode() for name in make_names(amount)]


def commit(amount: int, repeat: int, *, recursion: bool) -> Measured:
    elements = make_elements(amount)

    def ours() -> bytes:
        return commit_elements(elements, KEY).root

    def theirs() -> bytes:
        leaves = [hash_leaf(s + e) for s, e in commit_elements(elements, KEY).leaves]
        return _root(leaves, 0, len(leaves)) if leaves else EMPTY_ROOT

    if recursion:
        (our, root), (their, same) = timed(repeat, ours, theirs)
        agree(root == same, what=COMMIT)
        return Measured(our, their)
    ((our, _),) = timed(repeat, ours)
    peak = peak_of(lambda: commit_elements(list(elements), KEY).root)
    return Measured(Timing(our.wall, our.cpu, our.slowest, our.rounds, peak), None)


def _root(leaves: list[bytes], start: int, end: int) -> bytes:
    """Return the root as RFC 9162 defines it (section 2.1.1)."""
    if end - start == 1:
        return leaves[start]
    split = 1 << (end - start - 1).bit_length() - 1
    return hash_children(_root(leaves, start, start + split), _root(leaves, start + split, end))


@cache
def make_folder(sizes: tuple[int, ...]) -> Path:
    """Write the lists, which overlap by about a third, and the collaboration."""
    folder = Path(tempfile.mkdtemp(prefix="aboveboard-evidence-"))
    names = np.array(make_names(sum(sizes) * 3 // 4))
    generator, parties = np.random.default_rng(SEED), []
    for name, size in zip(("acme", "bolt", "core"), sizes, strict=True):
        drawn = names[generator.choice(len(names), size, replace=False)]
        (folder / f"{name}.txt").write_text("\n".join(drawn.tolist()) + "\n")
        parties.append(f'[parties.{name}]\ndata = "{name}.txt"\n')
    head = 'mechanism = "exchange.union"\nkind = "domain"\nseed = 7\n'
    (folder / "lists.toml").write_text(head + "".join(parties))
    return folder


COMMAND = """
import atexit, sys
from benchmarks.memory import find_peak
atexit.register(lambda: print(find_peak(), file=sys.stderr))
from aboveboard.start import main
main()
"""
"""The command line, which says at its end how much memory it had."""


def call(folder: Path, out: str, *options: str) -> Timing:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-c", COMMAND, "run", str(folder / "lists.toml"),
               "--out", str(folder / out), "--force", *options]  # fmt: skip
    environment = {**os.environ, "ABOVEBOARD_HOME": str(folder / "home")}
    started = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env=environment, cwd=ROOT
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command[3:])} ended with {child.returncode}: {said}")
    peak = int(said.split()[-1])
    return Timing(wall, usage.ru_utime + usage.ru_stime, wall, 1, peak)


def run(sizes: tuple[int, ...], repeat: int) -> Measured:
    folder = make_folder(sizes)
    pairs = [
        (call(folder, "with"), call(folder, "without", "--no-bundles")) for _ in range(repeat + 1)
    ][1:]
    for name in ("acme", "bolt", "core"):
        replies = [
            (folder / out / "parties" / name / "reply.txt").read_bytes()
            for out in ("with", "without")
        ]
        agree(replies[0] == replies[1], what=RUN)
    return Measured(*(_best([pair[side] for pair in pairs]) for side in (0, 1)))


def _best(timings: list[Timing]) -> Timing:
    fastest = min(timings, key=lambda t: t.cpu)
    return Timing(
        fastest.wall, fastest.cpu, max(t.wall for t in timings), len(timings), fastest.peak
    )


def verify(sizes: tuple[int, ...], repeat: int) -> Measured:
    folder = make_folder(sizes)
    if not (folder / "with").exists():
        call(folder, "with")
    party = folder / "with" / "parties" / "acme"

    def ours() -> Any:
        return rounds.verify(party, folder / "acme.txt").exit_status

    ((our, status),) = timed(repeat, ours)
    agree(status == 0, what=VERIFY)
    peak = peak_of(ours)
    size = (party / "bundle.json").stat().st_size / MIB
    handed = (party / "reply.txt").read_bytes().count(b"\n")
    remark = f"{handed:,} elements handed, a bundle of {size:.2f} MiB"
    return Measured(Timing(our.wall, our.cpu, our.slowest, our.rounds, peak), None, remark)


def blind(amount: int, repeat: int) -> Measured:
    elements, (first, second) = make_elements(amount), (generate_blinding(), generate_blinding())
    points = [hash_to_point(element, "00") for element in elements]
    ((our, once),) = timed(repeat, lambda: blind_tokens(points, first))
    few = elements[:50]
    both = {
        "a": blind_tokens(blind_elements(few, first, "00"), second),
        "b": blind_tokens(blind_elements(few, second, "00"), first),
    }
    agree(count_common(both) == {3: len(few)}, what=TOKENS)
    return Measured(our, None, f"{len(once) / our.cpu:,.0f} a second of one core")
