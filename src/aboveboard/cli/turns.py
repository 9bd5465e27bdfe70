"""Commands of a round that not every round has: answers, changes, lost keys, rulings, transfers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aboveboard.cli.evidence import find_passphrase
from aboveboard.cli.layout import print_text
from aboveboard.cli.options import Format, FormatOption, YesNo, echo_json
from aboveboard.cli.rounds import TermsOption, attend_round, echo, hand_over
from aboveboard.errors import InputError, write_as_line

ReferenceArgument = Annotated[
    str, typer.Argument(help="The collaboration's id, or its address at the hub.")
]


MOST_SHOWN = 2000
"""Characters of a line of a question: names and goods are what the center says they are."""


def answer(
    answer: Annotated[
        str | None,
        typer.Argument(
            help="Your answer as JSON, or a .json file with it. Without it: print the question."
        ),
    ] = None,
    vote: Annotated[
        YesNo | None,
        typer.Option(help="In place of an answer: your vote in a market, in both steps."),
    ] = None,
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: answer what the rule asks while it runs. Nobody sees it before all have answered."""
    from aboveboard.commands.rounds.questions import (
        answer_question,
        read_answer_file,
        read_question,
    )
    from aboveboard.evidence.members import read_round

    if answer is not None and vote is not None:
        raise InputError("--vote", "an answer stands beside it", "give one of the two")
    here = attend_round(terms)
    member = here.member
    if answer is None and vote is None:
        question = read_question(read_round(member.folder, member.private).round)
        if question is None:
            raise InputError(str(member.folder), "no question waits for answers", "see 'status'")
        text = _describe_question(member.name, question)
        echo(output, text, **{key: question[key] for key in ("question", "shows", "until")})
        return
    value: Any = (
        read_answer_file(str(answer))
        if vote is None
        else {"step_2": vote.value, "step_3": vote.value}
    )
    path = answer_question(member, value)
    echo(output, hand_over(here, path, "; send it to the center"), statement=path)


def _describe_question(own: str, question: dict[str, Any]) -> str:
    """Return what a question shows its member, in words, and how it is answered."""
    from aboveboard.desk.answering import describe_announcement
    from aboveboard.evidence.asking import ANSWER_EXAMPLES

    until = f", until {question['until']}" if question["until"] else ""
    rows = describe_announcement(own, question["shows"])
    example = ANSWER_EXAMPLES[question["question"]]
    vote = "; or 'aboveboard answer --vote yes'" if question["question"] == "votes" else ""
    return "\n".join(
        [
            write_as_line(f"asked for {question['question']}{until}"),
            *(f"  {write_as_line(f'{who}: {what}', MOST_SHOWN)}" for who, what in rows),
            f"to answer, run 'aboveboard answer ANSWER', and for ANSWER {example}{vote}",
        ]
    )


def sign_change(
    reference: Annotated[
        str | None,
        typer.Argument(
            help="The collaboration's id at its hub; needed where you have signed nothing in it "
            "yet."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Sign without asking.")] = False,
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: see a change of terms, and sign it. What was committed before is void then."""
    from aboveboard.commands.rounds.changes import consent
    from aboveboard.evidence.members import read_round

    if reference is not None:
        _sign_at_hub(reference, output, yes=yes)
        return
    here = attend_round(terms)
    seen = read_round(here.member.folder, here.member.private)
    lines, read = _show_change(seen, output, yes=yes)
    path = consent(here.member, read)
    text = hand_over(here, path, "; send it to the center")
    echo(output, text, statement=path, change=lines)


def _show_change(seen: Any, output: Format, *, yes: bool) -> tuple[list[str], str]:
    """Print what a change changes, and ask whether to sign it; return that, and its hash.

    Raises
    ------
    InputError
        If none waits.
    """
    from aboveboard.commands.rounds.changes import describe_change

    lines = describe_change(seen.round)
    if not lines or seen.round.pending is None:
        raise InputError(str(seen.folder), "no change waits for signatures", "see 'status'")
    if output is Format.TEXT:
        print_text("\n".join(lines))
    if not yes and not typer.confirm("Sign this change?", err=True):
        raise typer.Exit(2)
    return lines, seen.round.pending.digest


def _sign_at_hub(reference: str, output: Format, *, yes: bool) -> None:
    """Sign a change of a round at a hub, in which the member may have signed nothing yet."""
    from aboveboard.evidence.members import read_round
    from aboveboard.hub.members import preview
    from aboveboard.hub.members.changing import sign_change_at_hub

    mirror, _ = preview(reference, passphrase=find_passphrase())
    lines, read = _show_change(read_round(mirror.folder), output, yes=yes)
    here, taken = sign_change_at_hub(mirror.id, read, passphrase=find_passphrase())
    text = f"{mirror.address} has your signature; the round is {taken['state']}"
    echo(output, text, terms=here.member.folder / "terms.json", change=lines, **taken)


def open_part(terms: TermsOption = None, output: FormatOption = Format.TEXT) -> None:
    """Member: open your committed part to the auditor.

    After a dispute; the terms name the auditor.
    """
    from aboveboard.commands.rounds.disputes import open_to_auditor

    here = attend_round(terms)
    member = here.member
    path = open_to_auditor(member)
    echo(output, hand_over(here, path, "; send it with your sealed part"), statement=path)


def rule(
    reference: ReferenceArgument,
    stands: Annotated[
        bool | None,
        typer.Option(
            "--stands/--falls", help="Rule by your own decision, such as if a part is missing."
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Auditor: compute a disputed round of a hub again, and rule.

    Exit status: 0 you have ruled that the result stands; 1 that it does not; 3 you have not ruled,
    since a part is missing or false.
    """
    from aboveboard.hub.members.auditing import rule_at_hub

    findings, taken = rule_at_hub(reference, passphrase=find_passphrase(), stands=stands)
    if output is Format.JSON:
        echo_json({**findings.as_dict(), "ruling": taken})
    else:
        print_text(f"{findings}\n{_describe_ruling(taken)}")
    raise typer.Exit(3 if taken is None else 0 if taken["stands"] else 1)


def _describe_ruling(taken: dict[str, Any] | None) -> str:
    """Return what the auditor has ruled."""
    if taken is None:
        return "no ruling: a part is missing or false; wait for it, or say --stands or --falls"
    ruled = "stands" if taken["stands"] else "does not stand"
    return f"ruled: the result {ruled}; the round is {taken['state']}"


def recover_keys(reference: ReferenceArgument, output: FormatOption = Format.TEXT) -> None:
    """Member: name your new keys, for the others to vouch.

    After you have lost the old keys and joined again with a recovery link.
    """
    from aboveboard.hub.members.recovering import ask_for_vouchers

    mirror, keys = ask_for_vouchers(reference, passphrase=find_passphrase())
    text = (
        f"{mirror.address} shows your new keys to the others; tell each of them, by a way that "
        f"shows who you are, their fingerprint: {keys.grouped_fingerprint}"
    )
    echo(output, text, hub=mirror.address, fingerprint=keys.fingerprint)


def vouch(
    name: Annotated[str, typer.Argument(help="The member whose new keys these are.")],
    fingerprint: Annotated[
        str,
        typer.Argument(
            help="Fingerprint of its new keys, as it told you itself, such as in a call; spaces "
            "need quotes."
        ),
    ],
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: vouch for the new keys of another member.

    For a member that has lost its old keys.
    """
    from aboveboard.hub.members.recovering import vouch_for

    taken = vouch_for(name, fingerprint, terms, passphrase=find_passphrase())
    echo(output, f"vouched as entry {taken['index']}", **taken)


def transfers(reference: ReferenceArgument, output: FormatOption = Format.TEXT) -> None:
    """Member: print what you pay and receive.

    In all rounds of a series at a hub.
    """
    from aboveboard.hub.members.money import list_own_transfers

    found = list_own_transfers(reference, passphrase=find_passphrase())
    if output is Format.JSON:
        echo_json(found)
    else:
        from aboveboard.settlements.money import format_payment

        lines = [
            f"{'' if x['collaboration'] else 'net up to '}round {x['serial']}: "
            f"you {_conjugate(format_payment(x['cents'], x['currency']))}, "
            f"{x['state']}{' on ' + x['paid_on'] if x['paid_on'] else ''}"
            f"{'' if x['verified'] else ', not verified here'}"
            for x in found
        ]
        print_text("\n".join(lines) or "there are no transfers")


def _conjugate(text: str) -> str:
    """Return "pay 5.00 EUR" for "pays 5.00 EUR"."""
    verb, gap, rest = text.partition(" ")
    return f"{verb.removesuffix('s')}{gap}{rest}"
