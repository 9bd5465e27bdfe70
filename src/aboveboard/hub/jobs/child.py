"""The child that settles a round: `python -m aboveboard.hub.jobs.child NUMBERS`, in its folder.

It has no keys. It limits itself before it reads anything: memory, time, size of files, and where
the system lets it no network. The folder holds `log.jsonl`, `parts/NAME.bin` with each member's
opened submission, `order.key`, and the center's own files; the child writes `outcome.json` and
`settlement/`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aboveboard.hub.jobs.isolation import ChildLimits, isolate

if TYPE_CHECKING:
    from aboveboard.commands.rounds.outcomes import ReportedOutcome
    from aboveboard.evidence.asking import Answer
    from aboveboard.evidence.payloads import Payload
    from aboveboard.evidence.rounds import Round

OUTCOME_FILE = "outcome.json"
SETTLEMENT = "settlement"
PARTS = "parts"
LOG_FILE = "log.jsonl"
ORDER_FILE = "order.key"
CENTER_FILES = "center"
FILE_KEYS = "center-keys.json"
ANSWERS_FILE = "answers.json"
READING_FILE = "reading.txt"
"""Whose part is read at this moment: what a part that ends this process leaves behind."""


def settle_folder(folder: Path) -> dict[str, Any]:
    """Return the outcome of the round in a folder, plain data.

    Either "refused" with the problem by member ("" for the rule itself); or "ask" with the next
    question of the rule; or "body", "private", "cents" and "replies", the latter with paths below
    the folder.
    """
    from aboveboard.commands.rounds.outcomes import compute_outcome, draft_question
    from aboveboard.errors import AboveboardError
    from aboveboard.evidence.rounds import replay_log
    from aboveboard.hub.jobs.refusals import explain_refusal

    round_ = replay_log((folder / LOG_FILE).read_bytes().split(b"\n")[:-1], "log")
    parts, refused = _read_parts(folder, round_)
    if refused:
        return {"refused": refused}
    order, files = (folder / ORDER_FILE).read_bytes(), _read_center_files(folder)
    answers = _read_answers(folder)
    try:
        if len(round_.asked) < len(round_.terms.asks):
            return {"ask": draft_question(round_, parts, files, answers)}
        outcome = compute_outcome(round_, parts, folder / SETTLEMENT, order, files, answers)
    except AboveboardError as error:
        return {"refused": {"": str(error), **explain_refusal(round_.terms, parts, error)}}
    return {
        "body": outcome.body,
        "private": dict(outcome.publication.private),
        "cents": _count_cents(round_, outcome),
        "replies": {
            name: path.relative_to(folder).as_posix() for name, path in outcome.replies.items()
        },
    }


def _read_parts(folder: Path, round_: Round) -> tuple[dict[str, Payload], dict[str, str]]:
    """Return each member's part, and what is wrong, by member."""
    from aboveboard.commands.rounds.outcomes import check_part
    from aboveboard.errors import InputError
    from aboveboard.evidence.payloads import open_payload

    parts, refused = {}, {}
    for name in round_.present:
        place = f"submission of {name}"
        (folder / READING_FILE).write_text(name, encoding="utf-8")
        try:
            parts[name] = open_payload(folder / PARTS / f"{name}.bin", place)
            check_part(round_, name, parts[name])
            if round_.terms.repeats.limits_lists:
                _compare_with_last(folder, round_, name, parts[name])
        except InputError as error:
            refused[name] = f"{error.problem}; {error.remedy}"
    (folder / READING_FILE).unlink()
    return parts, refused


def _compare_with_last(folder: Path, round_: Round, name: str, part: Payload) -> None:
    """Raise `InputError` if a list has changed by more than the terms allow; keep its hashes."""
    from aboveboard.evidence.own_part import list_elements
    from aboveboard.hub.series.lists import KEY_FILE, LAST, NOW, hash_elements, refuse_large_change

    key = (folder / KEY_FILE).read_bytes()
    now = hash_elements(list_elements(round_.terms, name, part), key)
    last = folder / LAST / f"{name}.bin"
    if last.is_file():
        refuse_large_change(last.read_bytes(), now, round_.terms.repeats, f"list of {name}")
    (folder / NOW).mkdir(exist_ok=True)
    (folder / NOW / f"{name}.bin").write_bytes(now)


def _read_answers(folder: Path) -> dict[int, dict[str, Answer]]:
    """Return what members have answered, by step and name."""
    from aboveboard.evidence.asking import Answer

    path = folder / ANSWERS_FILE
    data = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        int(step): {name: Answer.from_dict(each, name) for name, each in found.items()}
        for step, found in data.items()
    }


def _count_cents(round_: Round, outcome: ReportedOutcome) -> dict[str, int]:
    """Return what each member pays in smallest coins; nothing where there is no currency."""
    from aboveboard.settlements.money import account_settlement

    if round_.terms.currency is None:
        return {}
    return dict(account_settlement(outcome.report.settlement, round_.terms.currency).cents)


def _read_center_files(folder: Path) -> dict[str, tuple[bytes, bytes]]:
    """Return the center's own files by name, each with its key."""
    keys = json.loads((folder / FILE_KEYS).read_text(encoding="utf-8"))
    return {
        name: (bytes.fromhex(key), (folder / CENTER_FILES / name).read_bytes())
        for name, key in keys.items()
    }


def write_outcome(folder: Path, outcome: dict[str, Any]) -> None:
    """Write an outcome, whole or not at all."""
    fresh = folder / f".{OUTCOME_FILE}"
    fresh.write_text(json.dumps(outcome, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    fresh.replace(folder / OUTCOME_FILE)


def main() -> None:
    """Settle the round in the folder that this process was started in."""
    limits = ChildLimits(*(int(text) for text in sys.argv[1:7]))
    alone = isolate(limits)
    # The path from the root may be closed to the user that this process is now.
    folder = Path()
    write_outcome(folder, {"network": not alone, **settle_folder(folder)})


if __name__ == "__main__":
    main()
