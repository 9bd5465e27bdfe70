"""Evidence of curation: who is answered follows from what all have committed to.

Commitments, prices and values are published; the protocol is applied to them again. An answered
agent that commits to the truth finds its own bits in its column. In a round the noise of an agent
that is not answered comes from the joint seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from aboveboard.curation.rounds import draw_own_messages
from aboveboard.errors import InputError
from aboveboard.evidence.cases import Case, names_code
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.numbers import is_same_number
from aboveboard.evidence.payloads import as_bytes
from aboveboard.evidence.seeds import derive_coins
from aboveboard.evidence.verifiers.opened import read_files
from aboveboard.evidence.verifiers.public_numbers import verify_public
from aboveboard.evidence.verifiers.shares import verify_own_share
from aboveboard.formatting import encode_number
from aboveboard.games.keyed_stream import KeyedStream

ON_THE_CENTERS_WORD = (
    "the messages of the others",
    "that messages were drawn as all have committed to",
)

PUBLISHED = ("commitment", "value", "price", "shape", "prior", "distribution")
"""An agent's keys that all see."""

NOISE_TRUSTED = "that the noise of those who are not answered depends on no bit"


LOT = "the lot: who is answered where chance decides, by a seed that the operator drew alone"


def verify(case: Case, findings: Findings) -> None:
    """Verify one agent's part of a curation."""
    verify_own_share(case, findings)
    _verify_own_commitment(case, findings)
    if names_code([case.parameters, case.facts]):
        findings.trust("who is answered and what all gain: a function is the operator's own")
        return
    try:
        names, game, profile, answered = _apply_protocol(case)
        profits = game.profits(profile)
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        findings.contradict(f"the published commitments do not fit this rule: {error}")
        return
    findings.check(
        answered == case.facts.get("answered"),
        f"who is answered follows from the commitments: {', '.join(answered) or 'nobody'}",
        f"by the commitments {', '.join(answered) or 'nobody'} is to be answered",
        case.proof,
    )
    wrong = [
        name
        for name, gain in zip(names, profits, strict=True)
        if name in case.list_compared("benefit")
        and not is_same_number(encode_number(gain), case.find_share(name, "benefit"))
    ]
    findings.check(
        not wrong,
        "every expected gain follows from the commitments",
        f"by the commitments the expected gain of {', '.join(wrong)} is another one",
        case.proof,
    )
    verify_public(case, dict(case.facts["agents"]), {k: k for k in PUBLISHED}, findings)
    i = names.index(case.name)
    _verify_reply(case, i, case.name in answered, profile[i], findings)
    findings.trust(*ON_THE_CENTERS_WORD)
    if case.round.terms.protocol == "run" and _draws_lots(game, profile):
        findings.trust(LOT)


def _draws_lots(game: Any, profile: Any) -> bool:
    """Return whether a lot decided who is answered."""
    chances = game.protocol.compute_chances(game.society.agents, profile)
    return any(0 < chance < 1 for chance in chances)


def _apply_protocol(case: Case) -> tuple[list[str], Any, Any, list[str]]:
    """Return the agents, their game, what they have committed to, and who is to be answered."""
    from aboveboard.collaborations.registry import find_mechanism

    listed = case.facts["agents"]
    agents = {str(name): dict(numbers) for name, numbers in listed}
    if sorted(agents) != sorted(case.round.present) or len(agents) < len(listed):
        raise ValueError("the agents are not the members")
    rule = find_mechanism(case.round.terms.mechanism, "terms")
    table = {k: x for k, x in case.parameters.items() if k not in ("center", "design")}
    table |= {"mechanism": case.round.terms.mechanism, "seed": "1"}
    table["center"] = dict(case.facts.get("center") or {})
    table["parties"] = {
        name: {key: x for key, x in numbers.items() if x is not None}
        for name, numbers in agents.items()
    }
    mechanism: Any = rule.from_file(rule.FILE.model_validate(table))
    names, profile = list(agents), mechanism.chosen
    game = mechanism.curation_game
    chances = game.protocol.compute_chances(game.society.agents, profile)
    answers = _draw_answers(case, names, chances)
    return names, game, profile, [name for name, yes in zip(names, answers, strict=True) if yes]


def _draw_answers(case: Case, names: list[str], chances: Any) -> tuple[bool, ...]:
    """Return who is to be answered; where a lot decided in a run of one operator, what it says."""
    from aboveboard.curation.rounds import draw_answered

    if case.round.terms.protocol == "round":
        return draw_answered(chances, case.seed)
    stated = case.facts.get("answered") or ()
    return tuple(
        name in stated if 0 < chance < 1 else bool(chance)
        for name, chance in zip(names, chances, strict=True)
    )


def _verify_own_commitment(case: Case, findings: Findings) -> None:
    used = case.find_numbers("agents")
    own = case.own_table
    default = {"commitment": [1, 0], "shape": "linear", "value": 1}
    for key in PUBLISHED:
        stated = own.get(key, default.get(key))
        found = used.get(key)
        if key not in own and case.part is None:
            continue
        same = (
            all(map(is_same_number, stated, found)) and len(stated) == len(found)
            if isinstance(stated, list) and isinstance(found, list)
            else stated == found or is_same_number(stated, found)
        )
        if not same:
            findings.contradict(f"your {key} is {stated}, and {found} was used", case.proof)
            return
    if case.part is None:
        findings.miss("your own file: that your commitment, value, price and prior were used")
    else:
        findings.verify("your commitment, value, price and prior were used")


def _verify_reply(case: Case, i: int, answered: bool, own: Any, findings: Findings) -> None:
    """Verify the party's own column, or the noise."""
    if case.reply is None:
        return
    if dict(case.parameters.get("function") or {}).get("kind") in ("median", "average"):
        findings.trust("that your reply follows from all messages about thresholds")
        return
    two_bits = case.parameters.get("replies") == "two-bits"
    width = 2 if two_bits else 1 + len(case.round.present)
    try:
        frame = pl.read_csv(case.reply)
        columns = frame.select(pl.nth(range(1, 1 + width))).to_numpy()
    except (pl.exceptions.PolarsError, OSError):
        findings.contradict("your reply is not a table of rounds", case.proof)
        return
    if len(columns) != case.facts.get("rounds"):
        findings.contradict(
            f"your reply has {len(columns)} rounds, and {case.facts.get('rounds')} are stated",
            case.proof,
        )
    if not answered:
        _verify_noise(case, i, columns, findings)
    elif two_bits:
        _verify_guesses(frame, _read_own_bits(case), case, findings)
    else:
        _verify_center(case, columns[:, 0], findings)
        _verify_column(case, columns[:, i + 1], own, findings)


def _verify_column(case: Case, sent: Any, own: Any, findings: Findings) -> None:
    """Verify that the party's column follows from its own bits and its commitment."""
    bits = _read_own_bits(case)
    if bits is None:
        findings.miss("your own bits: that they stand in your column")
        return
    if len(bits) != len(sent):
        findings.contradict(f"your reply has {len(sent)} rounds, and you have {len(bits)}")
        return
    if case.round.terms.protocol == "round" and case.given.key is not None:
        due_messages = draw_own_messages(bits, own, case.seed, derive_coins(case.given.key))
        findings.check(
            bool(np.array_equal(due_messages, sent)),
            "your column holds your messages, drawn with the joint seed and your own coins",
            "your column does not hold the messages that your bits, commitment and coins give",
            case.proof,
        )
        return
    p, q = float(own.p), float(own.q)
    impossible = (
        ((bits == 0) & (sent == 0) & (p == 0))
        | ((bits == 0) & (sent == 1) & (p == 1))
        | ((bits == 1) & (sent == 0) & (q == 0))
        | ((bits == 1) & (sent == 1) & (q == 1))
    )
    findings.check(
        not impossible.any(),
        "your column holds messages that your commitment allows",
        f"in {int(impossible.sum())} rounds your column holds what your commitment excludes",
        case.proof,
    )


def _verify_guesses(frame: pl.DataFrame, bits: Any, case: Case, findings: Findings) -> None:
    """Verify that the party's guess is the one of the two for its own bit."""
    findings.trust("that the two guesses follow from all messages")
    if bits is None or len(bits) != len(frame):
        findings.miss("your own bits: that your guess is the one for your bit")
        return
    if "guess" not in frame.columns:
        findings.contradict("your reply has no guess for your own bit", case.proof)
        return
    two, guess = frame.select(pl.nth(1, 2)).to_numpy(), frame.get_column("guess").to_numpy()
    findings.check(
        bool(np.array_equal(np.where(bits == 1, two[:, 1], two[:, 0]), guess)),
        "your guess is the one of the two for your own bit",
        "your guess is not the one of the two for your own bit",
        case.proof,
    )


def _verify_noise(case: Case, i: int, columns: Any, findings: Findings) -> None:
    from aboveboard.curation.rounds import draw_noise, name_noise

    if case.round.terms.protocol == "run":
        findings.trust(NOISE_TRUSTED)
        return
    rng = KeyedStream(case.seed, name_noise(i))
    due = draw_noise(len(columns), columns.shape[1] - 1, rng)
    findings.check(
        bool(np.array_equal(due, columns)),
        "your reply is noise from the joint seed, which depends on no bit",
        "your reply is not the noise that follows from the joint seed",
        case.proof,
    )


def _verify_center(case: Case, column: Any, findings: Findings) -> None:
    """Compare the center's column with its own file, where the terms say that it is opened."""
    center = case.parameters.get("center")
    named = center.get("data") if isinstance(center, dict) else None
    if case.round.terms.opened == "nothing" or named not in case.round.terms.files:
        findings.trust("the center's own bits")
        return
    try:
        content = read_files(case.facts.get("files", {}))[named][1]
    except (InputError, KeyError):
        return  # said already
    findings.check(
        np.array_equal(_parse_bits(content), column),
        "the center's column holds the bits of its own file, which the terms name",
        "the center's column does not hold the bits of its own file",
        case.proof,
    )


def _parse_bits(content: bytes) -> Any:
    lines = content.decode("utf-8", errors="replace").split()
    return np.array([int(x) for x in lines if x in ("0", "1")], dtype=np.int64)


def _read_own_bits(case: Case) -> Any:
    """Return the party's own bits; None where they were not given."""
    if case.part is None:
        return None
    own = case.part.table
    bits = own.get("bits")
    if isinstance(bits, list):
        whole = all(type(bit) is int and bit in (0, 1) for bit in bits)
        return np.array(bits, dtype=np.int64) if whole else None
    content = case.part.files.get(str(own.get("data")))
    if content is None:
        return None
    return _parse_bits(as_bytes(content))
