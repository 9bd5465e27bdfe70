"""What a round's center does at the command line: open it, close its steps, settle it."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from aboveboard.cli.options import Format, FormatOption, parse_deadlines
from aboveboard.cli.rounds import RoundArgument, echo
from aboveboard.formatting import format_quantity

if TYPE_CHECKING:
    from aboveboard.evidence.rounds import Round

_AWAITED = {
    "offered": "agree",
    "committing": "commit",
    "submitting": "submit",
    "result": "accept",
}
"""The kind of statement that a round waits for, by its state."""

_NEXT = {
    "offered": "each member runs 'aboveboard agree {folder}'; then: aboveboard close {folder}",
    "committing": "each member runs 'aboveboard commit FILE'; then: aboveboard close {folder}",
    "submitting": "each member runs 'aboveboard submit'; then: aboveboard close {folder}",
    "counting": "each member runs 'aboveboard count'; then: aboveboard close {folder}",
    "sealed": "aboveboard settle {folder}",
    "asking": "each member runs 'aboveboard answer'; then: aboveboard settle {folder}",
    "result": "each member runs 'aboveboard fetch --out result', and what that names; then: "
    "aboveboard close {folder}",
}
"""What is to be done in each state."""


def _name_next(folder: Path, round_: Round) -> list[str]:
    """Return the line that names the next command; none where the round has ended."""
    state = round_.state.value
    if state == "sealed" and round_.terms.counts == "members" and round_.list_awaited("counted"):
        state = "counting"
    place = quote(str(folder))
    return [f"next: {_NEXT[state].format(folder=place)}"] if state in _NEXT else []


def open_(
    file: Annotated[Path, typer.Argument(help="The collaboration file, without members' data.")],
    members: Annotated[Path, typer.Option(help="Folder with NAME.json: members' public keys.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The round's public folder to make.")],
    missing: Annotated[
        str, typer.Option(help="If a member is late: 'cancel' the round, or 'continue'.")
    ] = "cancel",
    opened: Annotated[
        str,
        typer.Option(
            help="What all members see afterwards: 'nothing' but the result; the files of the "
            "'center'; or 'all' parts."
        ),
    ] = "nothing",
    counts: Annotated[
        str,
        typer.Option(
            help="Who counts the overlaps of exchanged lists: the 'center', or the 'members' "
            "themselves by blinded tokens; see 'aboveboard count'."
        ),
    ] = "center",
    sums: Annotated[
        str | None,
        typer.Option(
            help="Whether members commit to their points of an average, so that all verify the "
            "sum: 'committed', or 'center'. Default: where PyNaCl is installed."
        ),
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            help="Who sees what each gains and pays: 'all', or each 'party' its own. Default: "
            "all see what their verification needs, and no more."
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            help="Who sees how many elements the overlaps of exchanged lists have: 'all', or the "
            "'center' alone; nobody can then verify gains."
        ),
    ] = None,
    lost_key: Annotated[
        str,
        typer.Option(
            help="Who vouches for a member that has lost its key: 'nobody'; the 'center'; or the "
            "center with a 'majority' or 'all' of the others."
        ),
    ] = "nobody",
    auditor: Annotated[
        Path | None, typer.Option(help="public.json of the auditor that all agree on.")
    ] = None,
    deadline: Annotated[
        list[str] | None,
        typer.Option(
            help="Until when a step is taken, such as 'commit=2026-12-01T12:00:00Z'; steps are "
            "agree, commit, submit and accept. Give it once for each."
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Center: begin a round. Writes the signed terms and a log."""
    from aboveboard.commands.rounds import locate_center, open_collaboration
    from aboveboard.commands.rounds.drafting import draft_table

    named = {"shares": shares, "regions": regions}
    draft = draft_table(file)
    round_ = open_collaboration(
        draft,
        members,
        out,
        missing=missing,
        opened=opened,
        counts=counts,
        sums=sums,
        sees={key: who for key, who in named.items() if who is not None},
        lost_key=lost_key,
        auditor=auditor,
        deadlines=parse_deadlines(deadline or []),
    )
    text = (
        f"wrote {out}: terms {round_.terms_digest[:16]} for {', '.join(round_.terms.names)}\n"
        f"your keys of this round lie in {locate_center(out)}; keep that folder to yourself"
    )
    said = [text, *([draft.left_out] if draft.left_out else []), *_name_next(out, round_)]
    echo(
        output,
        "\n".join(said),
        round=out,
        terms=round_.terms_digest,
        members=list(round_.terms.names),
        left_out=draft.left_out,
    )


def close(
    folder: RoundArgument,
    without: Annotated[
        list[str] | None, typer.Option(help="A member that is late; give it once for each.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Center: take in statements, publish a checkpoint."""
    from aboveboard.commands.rounds import close_step

    intake = close_step(folder, without=tuple(without or ()))
    round_ = intake.round
    step = _AWAITED.get(round_.state.value)
    awaited = list(round_.list_awaited(step)) if step else []
    taken = format_quantity(len(intake.accepted), "statement")
    lines = [f"the round is {round_.state}", f"accepted: {taken}"]
    lines += [f"refused: {path.name}: {why}" for path, why in intake.refused.items()]
    lines += [f"awaited: {', '.join(awaited)}"] if awaited else []
    lines += _name_next(folder, round_)
    if 0 < len(awaited) < len(round_.present) and step in ("commit", "submit"):
        left = " ".join(f"--without {quote(name)}" for name in awaited)
        lines.append(f"or, where they are late: aboveboard close {quote(str(folder))} {left}")
    echo(
        output,
        "\n".join(lines),
        state=round_.state.value,
        accepted=[path.name for path in intake.accepted],
        refused={path.name: why for path, why in intake.refused.items()},
        awaited=awaited,
    )


def settle(folder: RoundArgument, output: FormatOption = Format.TEXT) -> None:
    """Center: run a complete round, seal each member's result.

    If the rule asks its members while it runs, its next question is put to them first.
    """
    from aboveboard.cli.text import settlement_table
    from aboveboard.commands.rounds import locate_center, settle_round
    from aboveboard.commands.rounds.center import ask_next
    from aboveboard.currencies import name_unit

    asked = ask_next(folder)
    if asked is not None:
        awaited = list(asked.list_unanswered())
        question = asked.asked[-1].body["question"]
        said = [f"asked for {question}; awaited: {', '.join(awaited)}"]
        text = "\n".join([*said, *_name_next(folder, asked)])
        echo(output, text, state=asked.state.value, question=question, awaited=awaited)
        return
    round_, report = settle_round(folder)
    currency = round_.terms.currency or ""
    unit = name_unit(report.collaboration.mechanism.UNIT, currency)
    text = (
        f"{settlement_table(report.settlement, unit, currency=currency)}\n\n"
        f"wrote a sealed result for each member to {folder}; the settlement is in "
        f"{locate_center(folder) / 'settlement'}"
    )
    text = "\n".join([text, *_name_next(folder, round_)])
    echo(output, text, state=round_.state.value, settlement=report.as_dict())
