"""The terms of a round in plain words: all that they say, each part once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aboveboard.evidence.hidden_shares import NUMBERS, PLAYED, list_shown, shows_regions
from aboveboard.evidence.rounds import Round
from aboveboard.evidence.statements import Statement
from aboveboard.evidence.terms import CENTER, Terms
from aboveboard.formatting import describe_action, format_quantity, join_names
from aboveboard.report.rounds.steps import describe_deadline, describe_step

_TOLD = {
    "kind", "format", "protocol", "name", "serial", "previous", "engine", "mechanism", "parameters",
    "order", "members", "center", "log", "auditor", "missing", "opened", "counts", "files", "sees",
    "currency", "rounding", "deadlines", "sums", "lost_key", "keep_days", "asks", "answer_hours",
    "repeats",
}  # fmt: skip  # read as a table
"""Fields of the terms that have words of their own; others are shown as they are."""

PROMISED = "Promised"
"""The title of the verdicts on what a rule promises."""

_OPENED = {
    "nothing": "nothing: what a member sent stays between it and the center",
    "center": "the center's own files, whose hashes stand in these terms",
    "all": "everything: each member's part is opened to all members once the result is there",
}

_LOST = {
    "nobody": "cannot get new ones in this round",
    "center": "gets new ones in force if the center vouches for them",
    "majority": "gets new ones in force if the center and more than half of the others vouch",
    "all": "gets new ones in force if the center and all others vouch for them",
}

_MISSING = {
    "cancel": "the round is cancelled, and nobody gets a result",
    "continue": "the round goes on without it",
}


@dataclass(frozen=True)
class Section:
    """A part of the terms.

    Parameters
    ----------
    title
        A heading.
    rows
        Labels, and what the terms say.

    Examples
    --------
    >>> Section("Money", [("Payments", "none")]).rows[0]
    ('Payments', 'none')
    """

    title: str
    rows: Sequence[tuple[str, str]]


def compare_sections(old: Sequence[Section], new: Sequence[Section]) -> list[tuple[str, str, str]]:
    """Return what differs between two terms: label, what the old ones say, what the new ones say.

    Examples
    --------
    >>> before = [Section("Money", [("Currency", "EUR"), ("Rounding", "to 0.01 EUR")])]
    >>> compare_sections(before, [Section("Money", [("Currency", "USD")])])
    [('Currency', 'EUR', 'USD'), ('Rounding', 'to 0.01 EUR', 'nothing')]
    """
    before = {label: text for section in old for label, text in section.rows}
    after = {label: text for section in new for label, text in section.rows}
    return [
        (label, before.get(label, "nothing"), after.get(label, "nothing"))
        for label in dict.fromkeys((*before, *after))
        if before.get(label) != after.get(label)
    ]


def describe_terms(
    terms: Terms, digest: str, *, now: float, rule: Mapping[str, Any] | None = None
) -> list[Section]:
    """Return what terms say, in plain words.

    Parameters
    ----------
    terms
        The terms.
    digest
        The hash of the signed terms.
    now
        Seconds since 1970, for the time that is left to deadlines.
    rule
        What `describe_rule` returns of their mechanism: its texts; None: they are not known here.

    Examples
    --------
    >>> from aboveboard.commands.rounds.drafting import draft_terms
    >>> from aboveboard.evidence import generate_keys, replay_log, sign_statement
    >>> from aboveboard.evidence.center_keys import CenterKeys
    >>> center = CenterKeys(generate_keys(), generate_keys())
    >>> keys = {name: generate_keys().public for name in ("acme", "bolt")}
    >>> file = {"mechanism": "exchange.union", "parties": {"acme": {}, "bolt": {}}}
    >>> said = sign_statement(draft_terms(file, keys, center, "a/log"), "center", center.center)
    >>> round_ = replay_log([said.content], "log.jsonl")
    >>> sections = describe_terms(round_.terms, said.digest, now=0.0)
    >>> [section.title for section in sections][:2]
    ['What is done', 'Who takes part']
    """
    rule = rule or {}
    return [
        Section("What is done", _describe_rule(terms, rule)),
        Section("Who takes part", _describe_members(terms)),
        Section("Who sees what", _describe_views(terms, rule)),
        Section("When, and what if somebody is late", _describe_deadlines(terms, now)),
        Section("Money", _describe_money(terms)),
        Section("The record", _describe_record(terms, digest)),
    ]


def _describe_rule(terms: Terms, rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = rule.get("keys", {})
    rows = [
        ("The rule", " ".join(filter(None, [f"{terms.mechanism}:", rule.get("summary", "")]))),
        ("It promises", " ".join(list_promises(rule))),
        ("In the words of the field", rule.get("guarantees", "")),
        ("It assumes", rule.get("assumes", "")),
    ]
    rows += [
        (key.replace("_", " "), _join(_format(value), known.get(key, "")))
        for key, value in terms.parameters.items()
    ]
    return [(label, text) for label, text in rows if text]


def list_promises(rule: Mapping[str, Any]) -> list[str]:
    """Return what a rule promises, a sentence each, in words that need no knowledge of the field.

    Parameters
    ----------
    rule
        What `describe_rule` returns.

    Examples
    --------
    >>> rows = [{"property": "IR", "claim": "Nobody loses by taking part."}]
    >>> list_promises({"audit": {"verdicts": [{"title": PROMISED, "rows": rows}]}})
    ['Nobody loses by taking part.']
    """
    groups = (rule.get("audit") or {}).get("verdicts", ())
    rows = [row for group in groups if group["title"] == PROMISED for row in group["rows"]]
    return [row["claim"] or f"{row['property']}." for row in rows]


def _join(value: str, meaning: str) -> str:
    return f"{value} ({meaning})" if meaning else value


def _format(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, [], {}) else describe_action(value)


def _describe_members(terms: Terms) -> list[tuple[str, str]]:
    rows = [("Members", f"{len(terms.members)}: {join_names(terms.names)}")]
    for name in terms.names:
        parameters = terms.members[name].parameters
        if parameters:
            rows.append((f"Known of {name}", describe_action(parameters)))
    return rows


def _describe_views(terms: Terms, rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        (
            "The center",
            "sees all members' data: it runs the rule. It is not trusted to tell the truth about "
            "them: each member verifies its own result",
        ),
        (
            "Other members",
            "see that a member has agreed, committed, sent and answered, and the size of what it "
            "committed to. Of its data they see what the rule puts into their replies",
        ),
        ("All members are told", "; ".join(rule.get("told", ()))),
        ("What each gains and pays", _describe_shown(terms)),
        ("Afterwards all see", _OPENED[terms.opened]),
    ]
    if terms.counts == "members":
        rows.append(("Overlaps", "are counted by the members themselves, by blinded tokens"))
    if terms.sums == "committed":
        rows.append(("Sums", "are committed to, so that each member verifies the average"))
    if not shows_regions(terms):
        rows.append(("Overlaps of lists", "only the center sees them: nobody can verify gains"))
    trusted = rule.get("trusted", ())
    if trusted and terms.opened != "all":
        rows.append(("On the center's word stay", "; ".join(trusted)))
    if terms.files:
        files = [f"{name} (SHA-256 with a key: {digest})" for name, digest in terms.files.items()]
        rows.append(("The center's own files", "; ".join(files)))
    return [(label, text) for label, text in rows if text]


def _describe_shown(terms: Terms) -> str:
    shown = list_shown(terms)
    if not shown and terms.mechanism in PLAYED:
        return (
            "each sees what it gains alone; what each pays follows from how the play ended, which "
            "all are told"
        )
    if not shown:
        return "each sees its own alone"
    if len(shown) == len(NUMBERS):
        return "all see"
    return f"all see each {join_names(sorted(shown))}; of the rest each sees its own"


_SILENCE = (
    "has no deadline: a hub takes silence for acceptance after as many days, 14 at least, so that "
    "the round ends"
)


def _describe_deadlines(terms: Terms, now: float) -> list[tuple[str, str]]:
    rows = [
        (describe_step(step).title, f"until {describe_deadline(moment, now)}")
        for step, moment in terms.deadlines.model_dump().items()
        if moment is not None
    ]
    if not rows:
        rows = [("Deadlines", "none: the round waits for its members")]
    rows.append(("If a member is late or leaves", _MISSING[terms.missing]))
    if terms.asks:
        rows.append(("While the rule runs", f"it asks members: {join_names(terms.asks)}"))
        if terms.answer_hours is not None:
            hours = format_quantity(terms.answer_hours, "hour")
            rows.append(("Each question", f"is to be answered within {hours}"))
    kept = (
        "as long as it likes"
        if terms.keep_days is None
        else (f"for {format_quantity(terms.keep_days, 'day')} after the end, and then deletes it")
    )
    rows.append(("What members send", f"the center keeps {kept}"))
    if terms.keep_days is not None and terms.deadlines.accept is None:
        rows.append(("A result", _SILENCE))
    return [*rows, ("Further rounds", _describe_repeats(terms))]


def _describe_repeats(terms: Terms) -> str:
    repeats = terms.repeats
    parts = []
    if repeats.most is not None:
        parts.append(f"at most {format_quantity(repeats.most, 'round')} by these terms")
    if repeats.added is not None:
        parts.append(f"a list gains at most {format_quantity(repeats.added, 'element')} each time")
    if repeats.dropped is not None:
        lost = format_quantity(repeats.dropped, "element")
        parts.append(f"a list loses at most {lost} each time")
    if repeats.limits_lists:
        parts.append(_describe_comparison(terms))
    return "; ".join(parts) or "no limit is set"


def _describe_comparison(terms: Terms) -> str:
    """Return with what a list is compared, and until when."""
    kept = (
        "keeps as long as what members send"
        if terms.keep_days is None
        else f"deletes {format_quantity(terms.keep_days, 'day')} after that round's end, with what "
        "members sent in it; a list that comes later may be any"
    )
    return (
        "each is compared with that of the last round that gave its member a result, by keyed "
        f"hashes of its elements, which the center {kept}"
    )


def _describe_money(terms: Terms) -> list[tuple[str, str]]:
    if terms.currency is None:
        return [("Currency", "none: the terms name no currency, and payments are plain numbers")]
    return [("Currency", terms.currency), ("Rounding", terms.rounding or "not stated")]


def _describe_record(terms: Terms, digest: str) -> list[tuple[str, str]]:
    previous = f"follows from the terms {terms.previous}" if terms.previous else "the first one"
    auditor = (
        "none is agreed: a dispute is recorded, and nobody is named to decide it"
        if terms.auditor is None
        else f"a dispute is computed again by whoever has the key {terms.auditor.signing}"
    )
    rows = [
        ("Hash of the terms", digest),
        ("Round", f"number {terms.serial}, {previous}"),
        ("The center's key", terms.center.signing),
        ("The center's fingerprint", terms.center.public.fingerprint),
        ("The log", f"{terms.log.origin}, signed with {terms.log.signing}"),
        ("Computed with", terms.engine),
        ("Disputes", auditor),
        ("A member that has lost its keys", _LOST[terms.lost_key]),
    ]
    if terms.order and terms.order != list(terms.names):
        rows.append(("Order of the members", ", ".join(terms.order)))
    rest = {key: value for key, value in terms.model_dump().items() if key not in _TOLD}
    rows += [(key.replace("_", " ").capitalize(), _format(value)) for key, value in rest.items()]
    return rows


def find_terms(round_: Round) -> Statement:
    """Return the statement that made the terms of a round that are in force.

    Examples
    --------
    >>> from aboveboard.commands.rounds.drafting import draft_terms
    >>> from aboveboard.evidence import generate_keys, replay_log, sign_statement
    >>> from aboveboard.evidence.center_keys import CenterKeys
    >>> center = CenterKeys(generate_keys(), generate_keys())
    >>> keys = {name: generate_keys().public for name in ("acme", "bolt")}
    >>> file = {"mechanism": "exchange.union", "parties": {"acme": {}, "bolt": {}}}
    >>> said = sign_statement(draft_terms(file, keys, center, "a/log"), "center", center.center)
    >>> round_ = replay_log([said.content], "log.jsonl")
    >>> find_terms(round_).digest == round_.terms_digest
    True
    """
    return round_.said["terms", CENTER]
