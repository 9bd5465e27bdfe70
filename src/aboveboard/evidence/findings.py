"""What a verification found: what is proved, what is contradicted, what the center only says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from aboveboard.errors import write_as_line
from aboveboard.formatting.plain_json import Json

LONGEST_FINDING = 2000
"""Characters of a finding as text: it quotes what a rival wrote, which may be megabytes."""

MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a verifier raises on facts of another form than its mechanism publishes."""


@dataclass(frozen=True)
class Contradiction:
    """Something that the center stated and that is not so.

    Parameters
    ----------
    what
        In a sentence.
    proof
        The statement that proves it: its hash, or what else shows it.
    who
        Who stated it, where an auditor asks: a member, or "center".
    """

    what: str
    proof: str = ""
    who: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return plain data; "who" only where it is known."""
        data = {"what": self.what, "proof": self.proof}
        return {**data, "who": self.who} if self.who else data

    def __str__(self) -> str:
        text = f"{self.who}: {self.what}" if self.who else self.what
        return f"{text} (proof: {self.proof})" if self.proof else text


@dataclass
class Findings:
    """Three lists that grow while a bundle is verified.

    Parameters
    ----------
    verified
        What follows from signatures and hashes alone.
    contradicted
        What was stated and is not so.
    on_the_centers_word
        What cannot be verified without the others' inputs.
    missing
        What would have been verified, had it been given.

    Examples
    --------
    >>> findings = Findings()
    >>> findings.check(True, "your list is in it", "your list is not in it")
    True
    >>> findings.miss("your reply")
    >>> findings.verified, findings.exit_status
    (['your list is in it'], 3)
    """

    verified: list[str] = field(default_factory=list)
    contradicted: list[Contradiction] = field(default_factory=list)
    on_the_centers_word: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def verify(self, what: str) -> None:
        """Note what is proved."""
        self.verified.append(what)

    def contradict(self, what: str, proof: str = "", who: str = "") -> None:
        """Note what is not as stated."""
        self.contradicted.append(Contradiction(what, proof, who))

    def trust(self, *what: str) -> None:
        """Note what only the center says."""
        self.on_the_centers_word.extend(what)

    def miss(self, what: str) -> None:
        """Note what was not given."""
        self.missing.append(what)

    def check(self, holds: bool, what: str, otherwise: str, proof: str = "", who: str = "") -> bool:
        """Note `what` as verified if it holds, else `otherwise` as contradicted; return it."""
        if holds:
            self.verify(what)
        else:
            self.contradict(otherwise, proof, who)
        return holds

    @property
    def exit_status(self) -> int:
        """0: all that can be verified is; 1: something is contradicted; 3: something is missing."""
        if self.contradicted:
            return 1
        return 3 if self.missing else 0

    def as_dict(self) -> dict[str, Json]:
        """Return plain data, with the keys that other programs rely on."""
        return {
            "verified": list(self.verified),
            "contradicted": [each.as_dict() for each in self.contradicted],
            "on_the_centers_word": list(self.on_the_centers_word),
            "missing": list(self.missing),
        }

    def __str__(self) -> str:
        """Return the lists with their titles, each entry one line, whatever it quotes."""
        parts: list[tuple[str, Iterable[object]]] = [
            ("Contradicted", self.contradicted),
            ("Verified", self.verified),
            ("On the center's word", self.on_the_centers_word),
            ("Missing", self.missing),
        ]
        lines = []
        for title, entries in parts:
            listed = list(entries)
            if listed:
                shown = (write_as_line(str(entry), LONGEST_FINDING) for entry in listed)
                lines += [f"{title}:", *(f"  - {entry}" for entry in shown)]
        return "\n".join(lines)
