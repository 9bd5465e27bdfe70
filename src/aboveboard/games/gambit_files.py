"""Games from the files of Gambit: `.nfg` (strategic form) and `.efg` (extensive form), exact.

Payoffs and chances keep their exact value: "1/3" and "0.1" mean what they say. An extensive game
is read in its reduced strategic form (`extensive_form`). Cost: linear in the file for `.nfg`.
Source: the formats as the manual of Gambit describes them (https://gambitproject.readthedocs.io);
the parser is our own, since pygambit is GPL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.formatting import format_count
from aboveboard.games.game import TabularGame

GAME_SUFFIXES = (".nfg", ".efg")

MOST_BYTES = 64 * 2**20
"""Size of a file that is read: as text and tokens it takes some twenty times as much memory."""

MOST_ENTRIES = 10_000_000
"""Players times profiles of a game: exact numbers take some hundred bytes each."""

MOST_DIGITS = 300
"""Digits, and exponent, of a number: floats have no more."""

_TOKEN = re.compile(r'\s+|,|("(?:[^"\\]|\\.)*")|([{}])|([^\s{},"]+)')
_NUMBER = re.compile(r"[+-]?(\d+/\d+|\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)")


def is_game_file(path: Path) -> bool:
    """Return whether a path names a file of Gambit.

    Examples
    --------
    >>> is_game_file(Path("chicken.NFG")), is_game_file(Path("lists.toml"))
    (True, False)
    """
    return path.suffix.lower() in GAME_SUFFIXES


def read_game(path: str | Path) -> TabularGame:
    """Return the game in a file of Gambit.

    Each player's truth is its first strategy, since Gambit's games know none. Where a player or a
    strategy has no name, its number stands for it.

    Parameters
    ----------
    path
        A file that ends in `.nfg` or `.efg`, or that begins as such a file does.

    Raises
    ------
    InputError
        If the file is not a game of Gambit, or larger than `MOST_BYTES` or `MOST_ENTRIES`.

    Examples
    --------
    >>> import tempfile
    >>> text = 'NFG 1 R "Chicken" { "Row" "Column" } { 2 2 } 3 3 4 1 1 4 0 0'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "chicken.nfg"
    ...     _ = file.write_text(text)
    ...     game = read_game(file)
    >>> game.players, game.payoffs([1, 0])
    (('Row', 'Column'), (4, 1))
    """
    path = Path(path)
    return parse_game(_read_text(path), path.name)


def parse_game(text: str, name: str = "game") -> TabularGame:
    """Return the game that a text in one of Gambit's formats describes.

    Parameters
    ----------
    text
        What stands in a `.nfg` or `.efg` file.
    name
        What errors call it.

    Raises
    ------
    InputError
        As `read_game`.
    """
    reader = TokenReader(text, name)
    kind = reader.take("the kind of game, NFG or EFG")
    if kind not in ("NFG", "EFG"):
        remedy = "use a file of Gambit: NFG 1 R, or EFG 2 R"
        raise reader.error_before(f"it begins with {kind!r}", remedy)
    reader.take("the version of the format")
    reader.take("R or D, the precision")
    if kind == "NFG":
        return _parse_strategic(reader)
    from aboveboard.games.extensive_form import parse_extensive

    return parse_extensive(reader)


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(
                str(path),
                f"it has {format_count(size)} bytes",
                f"use a game of at most {format_count(MOST_BYTES)}",
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            str(path), f"it cannot be read ({error.strerror})", "name a file"
        ) from None
    except UnicodeDecodeError:
        raise InputError(str(path), "it is not text in UTF-8", "use a file of Gambit") from None


# ------------------------------------------------------------------------------------ tokens


@dataclass(frozen=True)
class Token:
    """A piece of the file.

    Parameters
    ----------
    text
        A brace, a number or word, or what stands between quotes.
    line
        Where it stands, from 1.
    quoted
        Whether it stands between quotes.
    """

    text: str
    line: int
    quoted: bool = False


class TokenReader:
    """Reads a file of Gambit token by token, and knows where it is.

    Parameters
    ----------
    text, name
        What is read, and what errors call it.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._tokens = list(_split(text, name))
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._tokens)

    @property
    def next(self) -> Token:
        """The next token, which stays; an empty one at the end."""
        return Token("", self._last_line()) if self.is_at_end else self._tokens[self._at]

    def _last_line(self) -> int:
        return self._tokens[-1].line if self._tokens else 1

    def take(self, expected: str) -> str:
        """Return the next token's text and go on; `expected` says what should stand there.

        Raises
        ------
        InputError
            If the file ends here.
        """
        if self.is_at_end:
            raise self.error("the file ends too early", f"write {expected}")
        self._at += 1
        return self._tokens[self._at - 1].text

    def take_if(self, text: str) -> bool:
        """Return whether the next token is this one, unquoted, and go on if so."""
        found = not self.next.quoted and self.next.text == text and not self.is_at_end
        self._at += found
        return found

    def expect(self, text: str, where: str) -> None:
        """Go on past this token.

        Raises
        ------
        InputError
            If another token stands here.
        """
        if not self.take_if(text):
            raise self.error(f"{where} has {self.next.text!r}", f"write {text}")

    def take_name(self, expected: str) -> str:
        """Return a quoted text.

        Raises
        ------
        InputError
            If the next token is not in quotes.
        """
        if self.is_at_end or not self.next.quoted:
            raise self.error(f"{self.next.text!r} is not a name", f"write {expected} in quotes")
        return self.take(expected)

    def take_optional_name(self) -> str | None:
        """Return a quoted text if one stands next."""
        return self.take("a name") if self.next.quoted and not self.is_at_end else None

    def take_number(self, expected: str) -> Fraction:
        """Return a number, exactly.

        Raises
        ------
        InputError
            If the next token is not a finite number, or has too many digits.
        """
        text = self.next.text
        if not text and not self.next.quoted:
            raise self.error("the file ends here", f"write {expected}: such as 3, 0.5 or 1/3")
        if self.next.quoted or not _NUMBER.fullmatch(text):
            raise self.error(
                f"{text!r} is not a number", f"write {expected}: such as 3, 0.5 or 1/3"
            )
        exponent = text.lower().partition("e")[2]
        if len(text) > MOST_DIGITS or (exponent and abs(int(exponent)) > MOST_DIGITS):
            raise self.error(f"a number has more than {MOST_DIGITS} digits", "write a shorter one")
        try:
            number = Fraction(text)
        except ZeroDivisionError:
            raise self.error(f"{text!r} divides by zero", "write a finite number") from None
        self.take(expected)
        return number

    def take_count(self, expected: str, least: int = 0) -> int:
        """Return a whole number that is not below `least`.

        Raises
        ------
        InputError
            If the next token is not a whole number, or is below `least`.
        """
        number = self.take_number(expected)
        if number.denominator != 1 or number < least:
            remedy = f"write a whole number from {least}"
            raise self.error_before(f"{expected} is {number}", remedy)
        return int(number)

    def take_names(self, expected: str) -> list[str]:
        """Return the quoted texts between two braces."""
        self.expect("{", f"the list of {expected}")
        names = []
        while not self.take_if("}"):
            names.append(self.take_name(expected))
        return names

    def take_payoffs(self, count: int) -> tuple[Fraction, ...]:
        """Return the payoffs of an outcome, one for each player, after its opening brace.

        Raises
        ------
        InputError
            If there are more payoffs, or fewer, or one is not a number.
        """
        numbers = []
        while not self.take_if("}"):
            numbers.append(self.take_number("a payoff"))
        if len(numbers) != count:
            raise self.error_before(
                f"an outcome has {len(numbers)} payoffs", f"write one for each of {count} players"
            )
        return tuple(numbers)

    def error(self, problem: str, remedy: str) -> InputError:
        """Return the error that says what is wrong with the next token."""
        return InputError(f"{self.name}, line {self.next.line}", problem, remedy)

    def error_before(self, problem: str, remedy: str) -> InputError:
        """Return the error that says what is wrong with what was taken last."""
        line = self._tokens[self._at - 1].line if self._at else 1
        return InputError(f"{self.name}, line {line}", problem, remedy)


def _split(text: str, name: str) -> Iterator[Token]:
    line, at = 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InputError(f"{name}, line {line}", "a quote is not closed", 'close it with "')
        quoted, brace, word = match.groups()
        if quoted is not None:
            yield Token(re.sub(r"\\(.)", r"\1", quoted[1:-1]), line, quoted=True)
        elif brace or word:
            yield Token(brace or word, line)
        line += match[0].count("\n")
        at = match.end()


# ---------------------------------------------------------------------------- strategic form


def _parse_strategic(reader: TokenReader) -> TabularGame:
    """Read a `.nfg` file from its title on; player 1's strategies vary fastest in it."""
    reader.take_name("the title")
    players = reader.take_names("the players")
    if not players:
        raise reader.error("there is no player", "name at least one")
    labels = _parse_strategies(reader, len(players))
    reader.take_optional_name()  # a comment
    shape = tuple(len(names) for names in labels)
    check_size(reader, len(players), shape)
    profiles = prod(shape)
    if reader.next.text == "{" and not reader.next.quoted:
        rows = _parse_outcomes(reader, len(players), profiles)
    else:
        rows = [
            tuple(reader.take_number("a payoff") for _ in range(len(players)))
            for _ in range(profiles)
        ]
    if not reader.is_at_end:
        raise reader.error("there is more than one payoff for each", "leave out what is too much")
    payoffs = np.empty((len(players), *shape), dtype=object)
    for row, backwards in zip(rows, product(*map(range, reversed(shape))), strict=True):
        where: tuple[Any, ...] = (slice(None), *reversed(backwards))
        payoffs[where] = row
    return TabularGame(payoffs, players=fill_names(players), labels=[*map(fill_names, labels)])


def _parse_strategies(reader: TokenReader, n: int) -> list[list[str]]:
    """Read each player's strategies: names in braces, or how many there are."""
    reader.expect("{", "the list of strategies")
    labels: list[list[str]] = []
    while not reader.take_if("}"):
        if reader.next.text == "{" and not reader.next.quoted:
            labels.append(reader.take_names("the strategies"))
        else:
            count = reader.take_count("the number of strategies", 1)
            check_size(reader, 1, (count,))
            labels.append([""] * count)
    if len(labels) != n or not all(labels):
        raise reader.error_before(
            f"there are strategies for {sum(map(bool, labels))} players",
            f"list at least one strategy for each of {n}",
        )
    return labels


def _parse_outcomes(reader: TokenReader, n: int, profiles: int) -> list[tuple[Fraction, ...]]:
    """Read the list of outcomes, then by profile the number of its outcome; 0 is not one."""
    reader.expect("{", "the list of outcomes")
    outcomes = [(Fraction(0),) * n]
    while not reader.take_if("}"):
        reader.expect("{", "an outcome")
        reader.take_optional_name()
        outcomes.append(reader.take_payoffs(n))
    rows = []
    for _ in range(profiles):
        number = reader.take_count("the number of an outcome")
        if number >= len(outcomes):
            raise reader.error_before(
                f"there is no outcome {number}", f"write a number from 0 to {len(outcomes) - 1}"
            )
        rows.append(outcomes[number])
    return rows


def check_size(reader: TokenReader, n: int, shape: Sequence[int]) -> None:
    """Refuse a game of n players that has more than `MOST_ENTRIES` payoffs.

    Raises
    ------
    InputError
        If the game has more.
    """
    entries = n * prod(shape)
    if entries > MOST_ENTRIES:
        raise reader.error_before(
            f"the game has {format_count(entries)} payoffs or more"
            if entries < 10**15
            else "the game is too large",
            f"use one of at most {format_count(MOST_ENTRIES)}",
        )


def fill_names(names: Sequence[str]) -> list[str]:
    """Return the names, with their number where one is missing or repeats an earlier one."""
    filled: list[str] = []
    for k, name in enumerate(names):
        own = name or str(k + 1)
        while own in filled:
            own = f"{own} ({k + 1})"
        filled.append(own)
    return filled
