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
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.evidence.asking import read_published
from aboveboard.evidence.canonical import decode_hex
from aboveboard.evidence.cases import Case, Delivery
from aboveboard.evidence.cosigning import verify_cosigned
from aboveboard.evidence.findings import MALFORMED, Findings
from aboveboard.evidence.hidden_shares import (
    HIDDEN,
    MOST_KEY,
    NUMBERS,
    hide_reply,
    hide_share,
    list_shown,
)
from aboveboard.evidence.log import Log, verify_checkpoint
from aboveboard.evidence.notes import read_note
from aboveboard.evidence.numbers import is_written_plainly
from aboveboard.evidence.own_part_checks import add_own_answers, read_own_part, verify_own_part
from aboveboard.evidence.public_facts import list_known_facts
from aboveboard.evidence.rounds import Round, replay_log
from aboveboard.evidence.seeds import commit_nonce, derive_seed
from aboveboard.evidence.statement_checks import is_digest
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.sum_commitments import PackageMissingError
from aboveboard.evidence.trees import InvalidProofError
from aboveboard.evidence.verifiers import verify_mechanism
from aboveboard.formatting import join_names

TRUSTED_IN_A_RUN = (
    "the seed: one operator ran this alone",
    "that the other parties' commitments are of what they sent, and were used",
)
"""What stays on the center's word where one operator has everybody's files."""


def verify_bundle(given: Delivery) -> Findings:
    """Verify one party's bundle and return what was found.

    Examples
    --------
    >>> import aboveboard as ab
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.commands import run_collaboration
    >>> from aboveboard.evidence.bundles import decode_bundle
    >>> from aboveboard.evidence.center_keys import CenterKeys
    >>> from aboveboard.evidence.keys import generate_keys
    >>> lists = {"acme": {"a.example", "b.example"}, "bolt": {"b.example", "c.example"}}
    >>> union = ab.collaborate("exchange.union", lists, kind="domain")
    >>> operator = CenterKeys(generate_keys(), generate_keys())
    >>> with TemporaryDirectory() as name:
    ...     _ = run_collaboration(union, Path(name, "out"), operator=operator)
    ...     own = Path(name, "out", "parties", "acme")
    ...     bundle = decode_bundle((own / "bundle.json").read_bytes(), "bundle.json")
    ...     findings = verify_bundle(Delivery(bundle, None, own / "reply.txt"))
    >>> findings.contradicted, len(findings.missing), findings.exit_status
    ([], 2, 3)
    """
    findings = Findings()
    round_ = _verify_log(given, findings)
    if round_ is None:
        return findings
    if given.bundle.name not in round_.present:
        findings.contradict(f"{given.bundle.name!r} is not a member of this round")
        return findings
    _verify_agreement(given, round_, findings)
    result = round_.find("result")
    if result is None:
        findings.miss("the result: the round has none yet")
        return findings
    try:
        _verify_result(given, round_, result, findings)
    except MALFORMED as error:
        findings.contradict(
            f"the result does not have the form of one ({type(error).__name__})", result.digest
        )
    if round_.terms.protocol == "run":
        fingerprint = round_.terms.center.public.fingerprint
        findings.trust(*TRUSTED_IN_A_RUN, f"that the operator's key is the one of {fingerprint}")
    return findings


def _verify_result(given: Delivery, round_: Round, result: Statement, findings: Findings) -> None:
    _verify_form(round_, result.body, findings)
    commitments = _read_commitments(round_, result.body["facts"])
    _verify_commitments(round_, commitments, result.body["facts"], findings)
    part, key = read_own_part(given, round_, findings)
    body = _open_share(given, round_, result.body, key, findings)
    verify_own_part(given, round_, part, key, commitments, findings)
    _verify_answers(round_, body, findings)
    seed = _verify_seed(round_, body, findings)
    reply = _verify_reply(given, body, key, round_.terms.protocol, findings)
    part = add_own_answers(given, round_, part, findings)
    case = Case(given, round_, body, commitments, part, reply, seed, result.digest)
    verify_mechanism(case, findings)


def _verify_log(given: Delivery, findings: Findings) -> Round | None:
    bundle = given.bundle
    try:
        round_ = replay_log(bundle.entries, "log")
        log = Log(round_.terms.log.origin, bundle.entries)
        note = read_note(bundle.checkpoint.encode("utf-8"), "checkpoint")
        key = round_.find_log_key(len(bundle.entries))
        checkpoint = verify_checkpoint(note, log.origin, key)
    except PackageMissingError:
        raise
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
    verify_cosigned(bundle.cosigned, round_, findings)
    return round_


def _verify_agreement(given: Delivery, round_: Round, findings: Findings) -> None:
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
            not round_.list_awaited("agree") and not round_.list_awaited("commit"),
            f"{names} signed these terms, and committed before anybody submitted",
            "not all members have signed the terms and committed",
        )
        for name, vouchers in sorted(round_.vouched.items()):
            who = join_names(sorted(vouchers))
            findings.trust(f"that {name} goes on with keys of its own: {who} vouched for them")


def _verify_form(round_: Round, body: Mapping[str, Any], findings: Findings) -> None:
    """Contradict a result that states more than it may, or replies that are not hashes."""
    if unknown := sorted(set(body["facts"]) - list_known_facts(round_.terms)):
        named = ", ".join(unknown[:5])[:200]
        findings.contradict(f"the result states what its mechanism does not: {named}", "result")
    wrong = [name for name, digest in body["replies"].items() if not is_digest(digest)]
    if wrong:
        findings.contradict(f"the reply of {', '.join(wrong)} is named by no hash", "result")


def _open_share(
    given: Delivery,
    round_: Round,
    body: Mapping[str, Any],
    key: bytes | None,
    findings: Findings,
) -> Mapping[str, Any]:
    """Return the result's body with the party's own share opened, where that is hidden."""
    name = given.bundle.name
    public, own = body["shares"][name], given.bundle.evidence.get("share")
    shown = list_shown(round_.terms)
    stated = shown if set(NUMBERS) <= shown else shown | {HIDDEN}
    for each, share in body["shares"].items():
        if (
            not isinstance(share, dict)
            or set(share) != stated
            or (HIDDEN in share and not is_digest(share[HIDDEN]))
        ):
            findings.contradict(f"the share of {each} is not stated as the terms say", "result")
        elif not all(is_written_plainly(share.get(number)) for number in NUMBERS):
            findings.contradict(
                f"the share of {each} is not in numbers as results write them", "result"
            )
    if set(NUMBERS) <= shown:
        return body
    if key is None:
        findings.miss("the key of your committed list: that your share is the one that was stated")
        return body
    try:
        holds = (
            isinstance(own, dict)
            and set(own) == set(NUMBERS)
            and all(map(is_written_plainly, own.values()))
            and hide_share(name, own, key, shown) == public
        )
    except ValueError:  # numbers that cannot be written, or a key that is not one
        holds = False
    findings.check(
        holds,
        "your share is the one whose hash stands in the signed result",
        "your share is not the one whose hash stands in the signed result",
        "result",
    )
    return {**body, "shares": {**body["shares"], name: own}} if holds else body


def _read_commitments(round_: Round, facts: Mapping[str, Any]) -> dict[str, tuple[bytes, int]]:
    """Return root and size of every member's commitment: its own, or the operator's in a run."""
    found = {}
    for name in round_.present:
        said = round_.find("commit", name)
        data = said.body if said is not None else facts.get("commitments", {}).get(name, {})
        try:
            size = data["size"]
            if type(size) is int:
                found[name] = (decode_hex(data["root"]), size)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return found


def _verify_commitments(
    round_: Round,
    commitments: Mapping[str, tuple[bytes, int]],
    facts: Mapping[str, Any],
    findings: Findings,
) -> None:
    """Note whose data nothing is committed of; in a round everybody commits itself."""
    if round_.terms.protocol != "run":
        return
    stated = facts.get("commitments", {})
    known = set(round_.present)
    if not isinstance(stated, dict) or set(stated) - (known & set(commitments)):
        findings.contradict("the commitments are not those of this run's parties", "result")
    without = [name for name in round_.present if name not in commitments]
    if without:
        findings.trust(f"all data of {', '.join(without)}: nothing of them is committed")


def _verify_answers(round_: Round, body: Mapping[str, Any], findings: Findings) -> None:
    if not round_.terms.asks:
        return
    try:
        published = read_published(round_, body["facts"])
    except InputError as error:
        findings.contradict(f"{error.place}: {error.problem}", "result")
        return
    if published:
        findings.verify("the opened answers are those that each member has committed to")
    if len(published) < len(round_.terms.asks):
        findings.trust("that answers which nobody sees were used as they were sent")


def _verify_seed(round_: Round, body: Mapping[str, Any], findings: Findings) -> int:
    try:
        stated = decode_hex(body["seed"])
    except ValueError:
        findings.contradict("the seed is not a hexadecimal number")
        return 0
    seed = int.from_bytes(stated, "big")
    if round_.terms.protocol == "run":
        return seed
    nonces, wrong = {}, []
    for name in round_.present:
        commitment = round_.find("commit", name)
        try:
            nonces[name] = decode_hex(body["nonces"][name])
        except (TypeError, ValueError):
            nonces[name] = b""
        if commitment is None or commit_nonce(nonces[name], name) != commitment.body["nonce"]:
            wrong.append(name)
    if gone := [n for n in round_.terms.names if n not in nonces and round_.find("commit", n)]:
        findings.trust(
            f"that nobody chose between two seeds: {join_names(gone)} committed and did not submit"
        )
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


def _verify_reply(
    given: Delivery, body: Mapping[str, Any], key: bytes | None, protocol: str, findings: Findings
) -> Path | None:
    name = given.bundle.name
    stated = body["replies"].get(name)
    if given.reply is None:
        findings.miss(f"your reply {given.bundle.reply['file']}, which lies beside the bundle")
        return None
    found = hashlib.sha256(given.reply.read_bytes()).hexdigest()
    if key is None and found != stated:
        findings.miss("the key of your committed list: that your reply is the one of the result")
        return given.reply
    hidden = set() if key is None or len(key) > MOST_KEY else {hide_reply(name, found, key)}
    # A plain hash lets others try what a member was handed; a round never states one.
    due = hidden if protocol == "round" else {found, *hidden}
    same = findings.check(
        isinstance(stated, str) and stated in due and found == given.bundle.reply["sha256"],
        "your reply is the one that the signed result names",
        "your reply is not the one that the signed result names",
        "result",
    )
    return given.reply if same else None
