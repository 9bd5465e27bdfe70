"""`aboveboard ..`: each command is a thin shell over a documented function.

Exit status: 0 done and all promises stand; 1 a promise fails, or a replay differs; 2 the input is
wrong, one line for each fault; 3 a promise is undecided; 71 memory does not suffice; 70 a defect of
ours, with its traceback.
"""

from __future__ import annotations

import copy
import errno
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Annotated, Any, NoReturn, TypeGuard

import typer

from aboveboard.cli import center, desk, hub_rounds, member, rounds, turns
from aboveboard.cli.checking import check
from aboveboard.cli.choosing import choose
from aboveboard.cli.collaborations import audit, compare, design, replay, run
from aboveboard.cli.implementing import implement
from aboveboard.cli.layout import print_text
from aboveboard.cli.options import echo_json
from aboveboard.cli.party import party
from aboveboard.cli.playing import play
from aboveboard.cli.process_state import catch_lost_errors, handle_signals, send_soon
from aboveboard.cli.starting import demo, init, mechanisms
from aboveboard.errors import AboveboardError
from aboveboard.exit_statuses import CRASHED, INTERRUPTED, NO_MEMORY

app = typer.Typer(
    name="aboveboard",
    help="Run data collaborations under rules that make honesty pay, and audit that they do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        from aboveboard._version import __version__

        print_text(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


for command in (
    demo,
    init,
    choose,
    mechanisms,
    check,
    run,
    audit,
    compare,
    design,
    implement,
    play,
    replay,
    party,
):
    app.command()(command)

app.add_typer(hub_rounds.hub, name="hub")
app.command()(member.join)
app.command()(member.status)
for own in (desk.desk, desk.login, desk.terms):
    app.command()(own)
app.add_typer(rounds.keys, name="keys")
app.command("open")(center.open_)
for step in (
    rounds.agree,
    rounds.commit,
    rounds.submit,
    rounds.count,
    rounds.fetch,
    rounds.verify,
    rounds.accept,
    rounds.dispute,
    rounds.leave,
    center.close,
    center.settle,
    rounds.audit_round,
    turns.answer,
    turns.sign_change,
    turns.open_part,
    turns.rule,
    turns.recover_keys,
    turns.vouch,
    turns.transfers,
):
    app.command()(step)

# Click's, wherever this release of typer keeps it: newer ones carry a copy of their own.
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


GRACE = 2.0
"""Seconds in which a second signal is the same wish: a terminal and a shell often both send one."""


class _TerminationRequest(BaseException):
    """The process was asked to end: a run removes its half-written folder first.

    It is not a SystemExit, which is what a user's function raises when it gives up.
    """


class _StopSignals:
    """Raises once where a signal asks the process to end, so that what cleans up is left alone."""

    def __init__(self) -> None:
        self._last = -GRACE

    def __call__(self, number: int, _: object) -> None:
        now = time.monotonic()
        if now - self._last < GRACE:
            return
        self._last = now
        raise KeyboardInterrupt if number == signal.SIGINT else _TerminationRequest

    def repeat(self, lost: type[BaseException]) -> bool:
        """Ask again where what was raised reached nobody; return whether it was such a request."""
        if not issubclass(lost, (KeyboardInterrupt, _TerminationRequest)):
            return False
        self._last = -GRACE
        send_soon(signal.SIGINT if issubclass(lost, KeyboardInterrupt) else signal.SIGTERM)
        return True


def main() -> None:
    """Run the command line, and end the process."""
    run_app(_keep_called(app, sys.argv[1:]), "aboveboard", ends_process=True)


def _keep_called(app: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """Return the commands with none but the one that is called, where it is a single one.

    To look through the parameters of all takes longer than to check a small file.
    """
    called = next(iter(words), "")
    named = [
        command
        for command in app.registered_commands
        if called == (command.name or getattr(command.callback, "__name__", "").replace("_", "-"))
    ]
    if not named or _completes_for_shell():
        return app
    kept = copy.copy(app)
    kept.registered_commands, kept.registered_groups = named, []
    return kept


def run_app(app: typer.Typer, program: str, *, ends_process: bool = False) -> NoReturn:
    """Run a command line and exit; wrong input is one line for each fault and exit status 2.

    Parameters
    ----------
    app
        The commands.
    program
        The name that stands before each error.
    ends_process
        Whether nothing else happens in this process: then signals that come after the command
        change nothing any more. Else they are handled as before.
    """
    stop = _StopSignals()
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.append(signal.SIGINT)
    after = signal.SIG_IGN if ends_process else None
    with catch_lost_errors(stop.repeat), handle_signals(dict.fromkeys(numbers, stop), after):
        try:
            status = _find_status(app, program)
        except BaseException as error:  # while an error was explained
            status = _explain(error, program)
    sys.exit(status)


def _find_status(app: typer.Typer, program: str) -> int:
    """Run a command and return its exit status, its errors explained."""
    try:
        status = _run(app)
        if sys.stdout is not None:
            sys.stdout.flush()
        if status == INTERRUPTED:
            _print_error(f"{program}: interrupted")
    except BaseException as error:
        return _explain(error, program)
    return status


def _explain(error: BaseException, program: str) -> int:
    """Print why a command ended, and return its exit status."""
    if isinstance(error, SystemExit) and _is_closed_pipe(error.__context__):
        error = error.__context__  # typer ends the process for any pipe
    if _is_closed_pipe(error) and _is_output_closed():
        # The reader of our output has what it wanted; Python must not complain at exit.
        _leave_output()
        return 0
    if isinstance(error, AboveboardError):
        return _fail(program, _list_errors(error))
    if isinstance(error, USAGE_ERROR):
        return _fail("", [{"message": _format_usage_error(error)}])
    # Python itself wraps what is raised while a class is being made.
    if _is_caused_by(error, _TerminationRequest):
        return 128 + signal.SIGTERM
    if isinstance(error, typer.Abort) or _is_caused_by(error, KeyboardInterrupt):
        _print_error(f"{program}: interrupted")
        return INTERRUPTED
    if _is_out_of_memory(error):
        _print_error(f"{program}: memory does not suffice; use smaller data, or a larger machine")
        return NO_MEMORY
    if isinstance(error, OSError):
        # Paths that the user named have their own messages; this is the rest: the output itself,
        # or what a library caches.
        place = str(error.filename or "the output")
        denied = isinstance(error, PermissionError)
        remedy = f"{'ask for permission' if denied else 'make room'}, or name another place"
        _leave_output()
        return _fail(program, [{"message": f"{place}: {error.strerror or error}; {remedy}"}])
    if not isinstance(error, Exception):
        raise error
    if _is_of_the_database(error):
        reason = " ".join(str(getattr(error, "orig", error)).split())
        remedy = "make room, or try again later; 'aboveboard hub check' looks for damage"
        return _fail(
            program, [{"message": f"the database: it does not answer ({reason}); {remedy}"}]
        )
    with suppress(OSError):
        traceback.print_exception(error)
    _print_error(f"{program}: this is a defect of aboveboard; please report it")
    return CRASHED


def _is_of_the_database(error: BaseException) -> bool:
    """Return whether a hub's database is full, locked, away or damaged: no defect of ours."""
    loaded = sys.modules.get("sqlalchemy.exc")
    return loaded is not None and type(error) in (loaded.OperationalError, loaded.DatabaseError)


def _leave_output() -> None:
    """Let what is still to be printed go nowhere, where standard output cannot be written."""
    import os

    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, sys.stdout.fileno())
            os.close(nothing)


def _list_causes(error: BaseException | None) -> list[BaseException]:
    """Return an error and those behind it."""
    seen: list[BaseException] = []
    while error is not None and not any(error is each for each in seen):
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def _is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Return whether an error of some kind is behind another one."""
    return any(isinstance(each, kind) for each in _list_causes(error))


OUT_OF_MEMORY = ("failed to map segment", "annot allocate memory", "can't start new thread")
"""What the loader of libraries and Python itself say where memory does not suffice."""


def _is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory did not suffice, whoever noticed it: we, a library, or its loader."""
    return any(
        isinstance(each, MemoryError)
        or (isinstance(each, OSError) and each.errno == errno.ENOMEM)
        or (
            isinstance(each, OSError | RuntimeError | ImportError)
            and any(text in str(each) for text in OUT_OF_MEMORY)
        )
        for each in _list_causes(error)
    )


def _run(app: typer.Typer) -> int:
    """Return the exit status of a command; code of a user that ends the process is a defect.

    Raises
    ------
    RuntimeError
        In place of a SystemExit that no command of ours raises.
    """
    try:
        return app(standalone_mode=False) or 0
    except SystemExit as ended:
        if _is_closed_pipe(ended.__context__) or _completes_for_shell():
            raise
        raise RuntimeError(f"something ended the process with {ended.code!r}") from ended


def _completes_for_shell() -> bool:
    """Return whether a shell asks for completions, or a user for the script that makes it ask.

    Then no command is run, and typer ends the process.
    """
    import os

    if {"--show-completion", "--install-completion"} & set(sys.argv[1:]):
        return True
    return any(name.startswith("_") and name.endswith("_COMPLETE") for name in os.environ)


def _list_errors(error: AboveboardError) -> list[dict[str, str]]:
    """Return the faults that an error stands for, as plain data."""
    faults: Sequence[AboveboardError] = getattr(error, "faults", (error,))
    return [
        {
            "message": str(fault),
            **{
                part: getattr(fault, part)
                for part in ("place", "problem", "remedy")
                if hasattr(fault, part)
            },
        }
        for fault in faults
    ]


def _fail(program: str, errors: Sequence[dict[str, str]]) -> int:
    """Print each fault in a line and return status 2; with `--format json` print data, too."""
    prefix = f"{program}: " if program else ""
    for error in errors:
        _print_error(f"{prefix}{error['message']}")
    if _is_json_requested(sys.argv[1:]):
        with suppress(OSError):
            echo_json({"errors": list(errors)})
    return 2


def _is_json_requested(arguments: Sequence[str]) -> bool:
    """Return whether the command line says `--format json`, however the rest of it is."""
    return any(
        (name in ("--format", "-f") and value == "json") or name in ("--format=json", "-fjson")
        for name, value in pairwise([*arguments, ""])
    )


def _is_closed_pipe(error: BaseException | None) -> TypeGuard[OSError]:
    """Return whether the reader of something that was written has closed it."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _is_output_closed() -> bool:
    """Return whether it is our own output that nobody reads any more, and no other pipe."""
    import select

    if not hasattr(select, "poll"):
        return True
    watched = select.poll()
    for number in (1, 2):
        watched.register(number, 0)
    return any(state & select.POLLERR for _, state in watched.poll(0))


def _print_error(text: str) -> None:
    with suppress(OSError):  # nobody reads it
        print_text(text, error=True)


def _format_usage_error(error: Any) -> str:
    """Return a wrong command line in one line; where a command is missing, the help."""
    message = str(error.format_message())
    if error.ctx is None or message == error.ctx.get_help():
        return message
    command = error.ctx.command_path
    message = " ".join(message.split()).rstrip(".")
    for words, ours in (("Value error, ", ""), ("Input should be", "it should be")):
        message = message.replace(words, ours)
    return f"{command}: {message}; see '{command} --help'"
