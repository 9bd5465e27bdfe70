"""Commands of a round between organisations: keys, a member's steps, the center's steps."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from aboveboard.cli.evidence import find_passphrase
from aboveboard.cli.layout import print_text, wrap
from aboveboard.cli.options import Format, FormatOption, echo_json
from aboveboard.errors import InputError
from aboveboard.faults import raise_faults

RoundArgument = Annotated[Path, typer.Argument(help="The round's public folder.")]
TermsOption = Annotated[
    str | None,
    typer.Option(
        "--terms",
        help="Which of your rounds: its id at the hub, or the start of the terms' hash.",
    ),
]


keys = typer.Typer(
    help="Make your keys, or replace them.", no_args_is_help=True, rich_markup_mode=None
)


def attend_round(terms: str | None) -> Any:
    """Return the member in its round, with all that is new at its hub."""
    from aboveboard.hub.members import attend

    return attend(terms, passphrase=find_passphrase())


def locate_round(reference: str) -> Path:
    """Return the folder of a round that is named by itself, or by its terms.json.

    Raises
    ------
    InputError
        If it is neither.
    """
    path = Path(reference)
    if path.is_dir():
        return path
    if path.name == "terms.json" and path.is_file():
        return path.parent
    raise InputError(
        reference,
        "it is neither a round's id nor a round's folder",
        "take the 16 characters that 'aboveboard status' shows, or name a round's folder",
    )


def hand_over(attendance: Any, path: Path, otherwise: str) -> str:
    """Send a statement to the member's hub; return what was done with it.

    A round that travels by other means has no hub: the member then sends the file itself.
    """
    taken = attendance.hand_over(path)
    if taken is None:
        return f"wrote {path}{otherwise}"
    address = attendance.mirror.address
    return f"{address} has it as entry {taken['index']}; the round is {taken['state']}"


def echo(output: Format, text: str, **data: Any) -> None:
    """Print a text, or the data as JSON."""
    if output is Format.JSON:
        echo_json({name: str(x) if isinstance(x, Path) else x for name, x in data.items()})
    else:
        print_text(text)


@keys.command("new")
def new_keys(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to make. Default: your own folder.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Make your keys. Send public.json to the center, and keep the rest.

    Set ABOVEBOARD_PASSPHRASE to encrypt the private keys.
    """
    from aboveboard.commands.rounds import KEYS, make_keys
    from aboveboard.evidence.members import find_home

    folder = out or find_home() / KEYS
    public = make_keys(folder, find_passphrase())
    path = folder / "public.json"
    text = f"wrote {folder}\nsend {path} to the center; its fingerprint is {public.fingerprint}"
    echo(output, text, folder=folder, public=path, fingerprint=public.fingerprint)


@keys.command("rotate")
def rotate_keys(terms: TermsOption = None, output: FormatOption = Format.TEXT) -> None:
    """Make new keys for a round, and state them with the old ones."""
    from aboveboard.commands.rounds.member import rotate_keys as state_new_keys

    here = attend_round(terms)
    path = state_new_keys(here.member, find_passphrase())
    echo(output, hand_over(here, path, "; send it to the center"), statement=path)


def agree(
    terms: Annotated[
        str,
        typer.Argument(help="terms.json of a round, or its folder; at a hub the round's id."),
    ],
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: agree to the terms of a round."""
    from aboveboard.commands.rounds import agree as sign_agreement
    from aboveboard.hub.members import agree as agree_at_hub
    from aboveboard.hub.members import is_reference

    if is_reference(terms) and not Path(terms).exists():
        mirror, taken = agree_at_hub(terms, passphrase=find_passphrase())
        text = f"{mirror.address} has your agreement; the round is {taken['state']}"
        echo(output, text, hub=mirror.address, terms=mirror.folder / "terms.json", **taken)
        return
    path = sign_agreement(locate_round(terms), passphrase=find_passphrase())
    then = "next, once all have agreed: aboveboard commit FILE"
    echo(output, f"wrote {path}; send it to the center\n{then}", statement=path)


def commit(
    file: Annotated[
        Path,
        typer.Argument(help="Your data file, or a TOML file with your keys of [parties.NAME]."),
    ],
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: check your data, and commit to them. Nothing of them leaves yet.

    All checks of 'check --mine' come first, and what will leave is printed.
    """
    from aboveboard.commands.rounds import commit as sign_commitment
    from aboveboard.commands.rounds.own_check import check_own_file
    from aboveboard.evidence.members import read_round

    here = attend_round(terms)
    agreed = read_round(here.member.folder, here.member.private).round.terms
    own = check_own_file(agreed, here.member.name, file)
    raise_faults(own.report.faults)
    path = sign_commitment(here.member, file)
    then = "next, once all have committed: aboveboard submit"
    text = hand_over(here, path, f"; send it to the center\n{then}")
    lines = [*_describe_part(own, "what will leave, once all have committed"), text]
    echo(output, "\n".join(lines), statement=path, own=own.as_dict())


def submit(
    terms: TermsOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Send without asking; programs are never asked.")
    ] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: seal your committed data to the center.

    Sends them once all members have committed. What leaves is printed before; on a
    terminal you are asked.
    """
    from aboveboard.commands.rounds import submit as sign_submission
    from aboveboard.commands.rounds.own_check import check_committed_part
    from aboveboard.evidence.members import read_round

    here = attend_round(terms)
    agreed = read_round(here.member.folder, here.member.private).round.terms
    own = check_committed_part(agreed, here.member.name, here.member.private)
    if output is Format.TEXT:
        print_text("\n".join(_describe_part(own, "this leaves now")))
        if not yes and sys.stdin.isatty() and sys.stdout.isatty():
            typer.confirm("send it?", abort=True)
    path = sign_submission(here.member)
    also = (
        f" and your sealed data in {path.parents[1] / 'sealed'}; send both\n"
        "next, once the center has the result: aboveboard fetch --out result"
    )
    echo(output, hand_over(here, path, also), statement=path, own=own.as_dict())


def _describe_part(own: Any, title: str) -> list[str]:
    """Return what the check found in a member's part, and what of it leaves, as lines."""
    lines = [f"warning: {warning}" for warning in own.report.warnings]
    rows = own.list_what_leaves()
    return [*lines, f"{title}:", *(wrap(text, label=f"  {label}: ") for label, text in rows)]


def count(terms: TermsOption = None, output: FormatOption = Format.TEXT) -> None:
    """Member: count overlaps by blinded tokens.

    If the terms say so. Run it once in each step, until it says that it has counted.
    """
    from aboveboard.commands.rounds.counting import take_counting_step

    here = attend_round(terms)
    done = take_counting_step(here.member)
    taken = [here.hand_over(path) for path in done.statements]
    sent = f"\n{here.mirror.address} has it" if any(taken) else ""
    echo(
        output,
        done.text.partition(";")[0] + sent if sent else done.text,
        passed=list(done.passed),
        regions=done.regions,
        statements=[str(path) for path in done.statements],
    )


def fetch(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for your reply and bundle.")],
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: open your sealed result."""
    from aboveboard.commands.rounds import fetch as open_result

    bundle = open_result(attend_round(terms).member, out)
    then = f"next: aboveboard verify {quote(str(out))} --mine FILE"
    echo(output, f"wrote {bundle} and your reply\n{then}", bundle=bundle)


def accept(
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Accept although not everything was verified.")
    ] = False,
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: accept the result that you have verified."""
    from aboveboard.commands.rounds import accept_or_dispute

    here = attend_round(terms)
    path = accept_or_dispute(here.member, unverified=unverified)
    echo(output, hand_over(here, path, "; send it to the center"), statement=path)


def leave(terms: TermsOption = None, output: FormatOption = Format.TEXT) -> None:
    """Member: leave a round that is not sealed yet."""
    from aboveboard.commands.rounds.member import leave as state_leave

    here = attend_round(terms)
    path = state_leave(here.member)
    echo(output, hand_over(here, path, "; send it to the center"), statement=path)


def dispute(
    reason: Annotated[str, typer.Option(help="What is wrong, in a sentence; it goes in the log.")],
    part: Annotated[
        Path | None,
        typer.Option("--open", help="Write your committed part here, for the agreed auditor."),
    ] = None,
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Member: dispute the result.

    The agreed auditor then computes the round again: see audit-round.
    """
    from aboveboard.commands.rounds import accept_or_dispute, open_part

    here = attend_round(terms)
    path = accept_or_dispute(here.member, reason)
    if part is not None:
        open_part(here.member, part)
    echo(
        output,
        hand_over(here, path, "; send it to the center and the auditor"),
        statement=path,
    )


def verify(
    bundle: Annotated[Path, typer.Argument(help="bundle.json, or its folder.")],
    mine: Annotated[Path | None, typer.Option(help="Your own data file.")] = None,
    terms: TermsOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Verify your result, offline.

    Says what is proved, what is contradicted, and what rests on the center's word.

    Exit status: 0 everything that can be verified was; 1 something is contradicted; 2 it cannot be
    read; 3 something that is needed is missing.
    """
    from aboveboard.commands.rounds import verify as verify_bundle
    from aboveboard.commands.rounds.results import find_bundle_member

    member = find_bundle_member(bundle, terms, find_passphrase())
    findings = verify_bundle(bundle, mine, member)
    if output is Format.JSON:
        echo_json(findings.as_dict())
    else:
        print_text("\n".join([str(findings), *_name_answer(member, findings.exit_status)]))
    raise typer.Exit(findings.exit_status)


def _name_answer(member: Any, status: int) -> list[str]:
    """Return the line that names how a member answers a result; none in an operator's own run."""
    if member is None or status not in _ANSWERS:
        return []
    return [f"to answer the result: {_ANSWERS[status]}"]


_ANSWERS = {0: "aboveboard accept", 1: "aboveboard dispute --reason TEXT"}
"""The answer that follows from a verification, by its exit status."""


def audit_round(
    folder: RoundArgument,
    opened: Annotated[
        Path,
        typer.Option(
            help="Folder with what each member opens (NAME.bin), and the center's files.json."
        ),
    ],
    output: FormatOption = Format.TEXT,
) -> None:
    """Auditor: compute a round again from what all members open.

    Names who contradicts what. Exit status: 0 everything is as stated; 1 something is not; 2 it
    cannot be read; 3 a part is missing.
    """
    from aboveboard.commands.rounds import audit_round as compute_again

    findings = compute_again(folder, opened)
    if output is Format.JSON:
        echo_json(findings.as_dict())
    else:
        print_text(str(findings))
    raise typer.Exit(findings.exit_status)
