"""Verification of a bundle, step by step: offline, from its arguments alone.

1. The log: every statement is signed, may follow, and stands under the signed checkpoint.
2. The terms: all members have agreed to these very terms.
3. The party's own part: what was committed is what the party has.
4. The seed: it follows from the nonces of all members.
5. The reply: it is the one that the result names.
6. The mechanism: its own verifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.bundles import Bundle
from aboveboard.evidence.commitments import commit_elements
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.log import Log, verify_checkpoint
from aboveboard.evidence.notes import read_note
from aboveboard.evidence.own_part import encode_elements, list_elements, read_own_file, read_records
from aboveboard.evidence.payloads import Payload
from aboveboard.evidence.replies import read_elements
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.seeds import NONCE, commit_nonce, derive_seed
from aboveboard.evidence.trees import InvalidProofError

TRUSTED_IN_A_RUN = (
    "the seed: one operator ran this alone",
    "that the other parties' commitments are of what they sent",
)


@dataclass(frozen=True)
class Given:
    """What is verified.

    Parameters
    ----------
    bundle
        What the center sent.
    mine
        The party's own file; None where it was not given.
    reply
        The reply that lies beside the bundle; None where it is missing.
    key
        The tree key of the party's own list; None: the one in the bundle.
    expected_terms
        The hash of the terms that the party has agreed to; None where it does not know it.
    """

    bundle: Bundle
    mine: Path | None
    reply: Path | None
    key: bytes | None = None
    expected_terms: str | None = None


def verify_bundle(given: Given) -> Findings:
    """Verify one party's bundle and return what was found."""
    findings = Findings()
    round_ = _verify_log(given, findings)
    if round_ is None:
        return findings
    if given.bundle.name not in round_.present:
        findings.contradict(f"{given.bundle.name!r} is no member of this round")
        return findings
    _verify_agreement(given, round_, findings)
    result = round_.find("result")
    if result is None:
        findings.miss("the result: the round has none yet")
        return findings
    body = result.body
    commitments = _read_commitments(round_, body["facts"])
    part, key = _read_own_part(given, round_, findings)
    _verify_own_part(given, round_, part, key, commitments, findings)
    seed = _verify_seed(round_, body, findings)
    reply = _verify_reply(given, body, findings)
    verify = _VERIFIERS.get(round_.terms.mechanism, _verify_shares)
    verify(_Case(given, round_, body, commitments, part, reply, seed, result.digest), findings)
    if round_.terms.protocol == "run":
        findings.trust(*TRUSTED_IN_A_RUN)
    return findings


@dataclass(frozen=True)
class _Case:
    """What a mechanism's verifier gets: the bundle, and what the steps before it have read."""

    given: Given
    round: Round
    body: Mapping[str, Any]
    commitments: Mapping[str, tuple[bytes, int]]
    part: Payload | None
    reply: Path | None
    seed: int
    proof: str


def _verify_log(given: Given, findings: Findings) -> Round | None:
    bundle = given.bundle
    try:
        round_ = replay_log(bundle.entries, "log")
        log = Log(round_.terms.log.origin, bundle.entries)
        note = read_note(bundle.checkpoint.encode("utf-8"), "checkpoint")
        checkpoint = verify_checkpoint(note, log.origin, round_.terms.log.signing)
    except (InputError, InvalidProofError) as error:
        findings.contradict(f"the log is not in order: {error}")
        return None
    if checkpoint != log.checkpoint:
        findings.contradict(
            "the checkpoint is of another log than the entries of this bundle", "checkpoint"
        )
        return None
    findings.verify(
        f"all {len(bundle.entries)} statements are signed, in order, and in the log {log.origin}"
    )
    return round_


def _verify_agreement(given: Given, round_: Round, findings: Findings) -> None:
    expected = given.expected_terms
    if expected is not None:
        findings.check(
            expected == round_.terms_digest,
            "the terms are those that you have agreed to",
            "the terms are not those that you have agreed to",
            round_.terms_digest,
        )
    if round_.terms.protocol == "round":
        names = ", ".join(round_.present)
        findings.check(
            not round_.awaited("agree") and not round_.awaited("commit"),
            f"{names} signed these terms, and committed before anybody submitted",
            "not all members have signed the terms and committed",
        )


def _read_commitments(round_: Round, facts: Mapping[str, Any]) -> dict[str, tuple[bytes, int]]:
    """Return root and size of every member's commitment: its own, or the operator's in a run."""
    found = {}
    for name in round_.present:
        said = round_.find("commit", name)
        data = said.body if said is not None else facts.get("commitments", {}).get(name, {})
        try:
            found[name] = (bytes.fromhex(data["root"]), int(data["size"]))
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _read_own_part(
    given: Given, round_: Round, findings: Findings
) -> tuple[Payload | None, bytes | None]:
    try:
        key = given.key or bytes.fromhex(given.bundle.secrets.get("key", ""))
    except ValueError:
        key = b""
    if given.mine is None:
        findings.miss("your own file: that your data were used whole (--mine FILE)")
        return None, key or None
    table, files = read_own_file(given.mine)
    return Payload(table, files, key, bytes(NONCE)), key or None


def _verify_own_part(
    given: Given,
    round_: Round,
    part: Payload | None,
    key: bytes | None,
    commitments: Mapping[str, tuple[bytes, int]],
    findings: Findings,
) -> None:
    if part is None:
        return
    if key is None:
        findings.miss("the key of your committed list: that your data were used whole")
        return
    name = given.bundle.name
    try:
        committed = commit_elements(list_elements(round_.terms, name, part), key)
    except ValueError as error:
        findings.contradict(f"the key of your committed list is none: {error}")
        return
    findings.check(
        commitments.get(name) == (committed.root, committed.size),
        "your own data are what was committed, whole",
        "your own data are not what was committed: another list, or a part of it, was used",
        "commit",
    )


def _verify_seed(round_: Round, body: Mapping[str, Any], findings: Findings) -> int:
    try:
        stated = bytes.fromhex(body["seed"])
    except ValueError:
        findings.contradict("the seed is no hexadecimal number")
        return 0
    seed = int.from_bytes(stated, "big")
    if round_.terms.protocol == "run":
        return seed
    nonces, wrong = {}, []
    for name in round_.present:
        commitment = round_.find("commit", name)
        try:
            nonces[name] = bytes.fromhex(body["nonces"][name])
        except (TypeError, ValueError):
            nonces[name] = b""
        if commitment is None or commit_nonce(nonces[name], name) != commitment.body["nonce"]:
            wrong.append(name)
    right = not wrong and derive_seed(round_.terms_digest, nonces) == stated
    findings.check(
        right,
        "the seed follows from the nonces that all members committed to: nobody chose it",
        f"the nonce of {', '.join(wrong)} is not the committed one"
        if wrong
        else "the seed does not follow from the members' nonces",
        "result",
    )
    return seed


def _verify_reply(given: Given, body: Mapping[str, Any], findings: Findings) -> Path | None:
    name = given.bundle.name
    stated = body["replies"].get(name)
    if given.reply is None:
        findings.miss(f"your reply {given.bundle.reply['file']}, which lies beside the bundle")
        return None
    found = hashlib.sha256(given.reply.read_bytes()).hexdigest()
    same = findings.check(
        found == stated == given.bundle.reply["sha256"],
        "your reply is the one that the signed result names",
        "your reply is not the one that the signed result names",
        "result",
    )
    return given.reply if same else None


def _verify_union(case: _Case, findings: Findings) -> None:
    from aboveboard.evidence.verifiers.union import UnionClaim, verify_union

    if case.part is None or case.reply is None or len(case.commitments) < len(case.round.present):
        findings.miss("your own file and your reply: that the reply is what is due to you")
        return
    name = case.given.bundle.name
    mine = frozenset(encode_elements(read_records(case.round.terms, name, case.part)))
    private = case.given.bundle.evidence
    opened = {
        element
        for data in dict(private.get("openings", {})).values()
        if isinstance(data, dict)
        for element in data.get("elements", [])
        if isinstance(element, str)
    }
    amounts = {
        each: share["benefit"]
        for each, share in case.body["shares"].items()
        if isinstance(share, dict) and type(share.get("benefit")) is int
    }
    claim = UnionClaim(
        name,
        case.body["facts"],
        private,
        case.commitments,
        amounts,
        mine,
        tuple(read_elements(case.reply, case.given.bundle.reply.get("file", ""), opened)),
        case.seed,
    )
    verify_union(claim, findings)


def _verify_shares(case: _Case, findings: Findings) -> None:
    """Note the party's share in the signed result: all that every mechanism has."""
    share = case.body["shares"][case.given.bundle.name]
    findings.verify(f"your share stands in the signed result: {share}")
    findings.trust("that the shares of all follow from what all sent by the rule")


_VERIFIERS = {"exchange.union": _verify_union}
