"""`aboveboard ..`: each command is a thin shell over a documented function.

Exit status: 0 done, 1 a property fails (or a replay differs), 2 the input is wrong.
"""

from __future__ import annotations

import errno
import signal
import sys
from typing import Annotated, Any

import typer

from aboveboard.cli import beginning, choosing, collaborations
from aboveboard.errors import AboveboardError

app = typer.Typer(
    name="aboveboard",
    help="Run data collaborations under rules that make honesty pay, and audit that they do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        from aboveboard._version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for command in (
    beginning.demo,
    beginning.init,
    choosing.choose,
    beginning.mechanisms,
    collaborations.check,
    collaborations.run,
    collaborations.audit,
    collaborations.design,
    collaborations.replay,
):
    app.command()(command)

# Click's, wherever this release of typer keeps it: newer ones carry a copy of their own.
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]


INTERRUPTED = 128 + signal.SIGINT
"""What typer gives as exit status for Ctrl-C, without a word, and shells for every signal."""


class _Ended(BaseException):
    """The process was asked to end: a run takes its half-written folder away first.

    No SystemExit, which is what a stranger's function raises when it gives up.
    """


def _end(_: int, __: object) -> None:
    raise _Ended


def main() -> None:
    """Run the command line."""
    run_app(app, "aboveboard")


def run_app(app: typer.Typer, program: str) -> None:
    """Run a command line and exit; errors on purpose are one line and exit status 2.

    Parameters
    ----------
    app
        The commands.
    program
        The name that stands before each error.
    """
    signal.signal(signal.SIGTERM, _end)
    try:
        status = app(standalone_mode=False) or 0
        for late in (signal.SIGINT, signal.SIGTERM):  # all is done: nothing is left to end
            signal.signal(late, signal.SIG_IGN)
        if status == INTERRUPTED:
            _say(f"{program}: interrupted")
        sys.exit(status)
    except SystemExit as ended:
        if not _closed(ended.__context__):
            raise
        # Whoever read our output has what it wanted; Python must not complain at exit.
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except AboveboardError as error:
        _say(f"{program}: {error}")
        sys.exit(2)
    except USAGE_ERROR as error:
        _say(_usage(error))
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        _say(f"{program}: interrupted")
        sys.exit(INTERRUPTED)
    except _Ended:
        sys.exit(128 + signal.SIGTERM)
    except OSError as error:
        # What is written where the user said so is answered for there; this is the rest: the
        # output itself, or what a library keeps for the next time.
        _say(
            f"{program}: {error.filename or 'the output'}: {error.strerror or error}; "
            "make room, or name another place"
        )
        sys.exit(2)


def _closed(error: BaseException | None) -> bool:
    """Say whether typer has ended us because nobody reads our output any more."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - this is the edge


def _usage(error: Any) -> str:
    """Put a wrong command line into one line; no command at all gets the help."""
    if error.ctx is None or not sys.argv[1:]:
        return str(error.format_message())
    command = error.ctx.command_path
    message = " ".join(str(error.format_message()).split()).rstrip(".")
    return f"{command}: {message}; see '{command} --help'"
