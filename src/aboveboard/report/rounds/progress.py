"""Who has done what in a round, and where the round stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aboveboard.evidence.rounds import Round
from aboveboard.formatting import format_moment

_COLUMNS = (
    ("agreed", ("agree",)),
    ("committed", ("commit",)),
    ("sent its data", ("submit",)),
    ("answered", ("accept", "dispute")),
)

_STATIONS = (
    ("Agree", ("draft", "offered", "agreed")),
    ("Commit", ("committing",)),
    ("Send", ("submitting",)),
    ("Settle", ("sealed", "running", "asking")),
    ("Verify", ("result", "disputed", "failed")),
    ("Done", ("settled", "archived")),
)


@dataclass(frozen=True)
class ProgressTable:
    """A table of the members and what each has done.

    Parameters
    ----------
    columns
        Headings; the first is the member.
    rows
        For each member its name and a cell for each step: text and kind, which is "done",
        "awaited", "bad" or "".

    Examples
    --------
    >>> table = ProgressTable(("member", "commit"), (("acme", (("yes", "done"),)),))
    >>> table.rows[0][1][0]
    ('yes', 'done')
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def tabulate_members(
    round_: Round,
    turns: Mapping[str, str],
    moments: Mapping[tuple[str, str], int] | None = None,
) -> ProgressTable:
    """Return what each member has done: that it was done, never what was sent.

    Parameters
    ----------
    round_
        The round.
    turns
        What is awaited of whom, as `list_turns` returns it.
    moments
        When each statement came, in seconds since 1970, by its kind and signer; None: unknown.

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
    >>> table = tabulate_members(round_, {"acme": "agree", "bolt": "agree"})
    >>> table.columns[:2], table.rows[0][1][0]
    (('member', 'agreed'), ('awaited', 'awaited'))
    """
    known = moments or {}
    rows = []
    for name in round_.names:
        turn = turns.get(name)
        cells = []
        for _, kinds in _COLUMNS:
            said = next((kind for kind in kinds if round_.find(kind, name) is not None), None)
            if said is not None:
                when = known.get((said, name))
                text = ("disputed" if said == "dispute" else "yes") + (
                    f", {format_moment(when)}" if when is not None else ""
                )
                cells.append((text, "bad" if said == "dispute" else "done"))
            elif name in round_.missing or (kinds[0] == "accept" and name in round_.silent):
                cells.append(("left or late", ""))
            elif turn in kinds:
                cells.append(("awaited", "awaited"))
            else:
                cells.append(("not yet", ""))
        rows.append((name, tuple(cells)))
    return ProgressTable(("member", *(title for title, _ in _COLUMNS)), tuple(rows))


def list_stations(state: str) -> list[tuple[str, str]]:
    """Return the stations of a round, each "past", "now" or "ahead"; all "ahead" if it ended early.

    Examples
    --------
    >>> list_stations("submitting")[1:4]
    [('Commit', 'past'), ('Send', 'now'), ('Settle', 'ahead')]
    """
    at = next((k for k, (_, states) in enumerate(_STATIONS) if state in states), None)
    if at is None:
        return [(name, "ahead") for name, _ in _STATIONS]
    kinds = ("past", "now", "ahead")
    return [(name, kinds[(k >= at) + (k > at)]) for k, (name, _) in enumerate(_STATIONS)]
