"""What properties claim, in words that need no knowledge of the field."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aboveboard.report.deviations import CHOOSING, LYING

CLAIMS = (
    ("ex-post IC against inventing", "No party gains by inventing data while the others tell the "
     "truth."),
    ("ex-post IC against widening", "No party gains by reporting a wider interval than its own "
     "while the others tell the truth."),
    ("ex-post IC", "No party gains by {deviating} while the others {others}."),
    ("epsilon-IC", "No party gains more than epsilon by {deviating} while the others {others}."),
    ("DSIC", "No party gains by {deviating}, whatever the others {act}."),
    (r"IR .*every", "No party loses by taking part, whatever the others report."),
    ("IR", "No party loses by taking part."),
    (r"coalition-proof .*transfers", "No group of at most {size} gains by {deviating} together, "
     "even if its members pay one another."),
    ("coalition-proof", "No group of at most {size} gains by {deviating} together."),
    (r"Pareto efficient \(", "No other outcome that hands out as much is better for one party "
     "and worse for none."),
    ("Pareto efficient", "No other outcome is better for one party and worse for none."),
    ("efficient", "No other outcome is worth more to all parties together."),
    ("symmetric", "Reports that are worth the same receive the same amount."),
    ("strong dominance", "A party that reports less does not receive more."),
    ("weak budget balance", "The center never pays out more than it takes in."),
    ("strong budget balance", "The center pays out exactly what it takes in."),
    ("unique equilibrium", "The only equilibrium is that all parties tell the truth."),
    ("no better votes", "Nobody, no pair and no three gain by voting otherwise."),
    ("no better announcement", "The proposer, also with one or two others, gains by no other "
     "proposal."),
    ("total participation", "No party or coalition expects to lose by taking part."),
    ("balanced when played", "As it is played, the center neither earns nor pays."),
    ("never a deficit", "The center never has to pay."),
    ("one likely ending", "The play is all but certain to end in one way, which is best for all "
     "together."),
    ("collusively dominant", "Every party and coalition has one vote that is best for it, whatever "
     "the others vote."),
    ("root-solvable", "Nobody needs beliefs about others: votes are dominant, and what is best to "
     "announce does not depend on who else colludes."),
    ("socially optimal", "What is best to announce is worth most to all together."),
    ("private", "Whoever sees the whole play learns no more than its outcome tells."),
    ("pays out", "All users together are paid exactly what is promised them."),
    ("fairness", "Users who add the same are paid the same."),
    ("null player", "A user who adds nothing is paid nothing."),
    ("additivity", "The shares of a sum are the sums of the shares."),
    ("no negative share", "No user is paid less than nothing."),
    ("nothing for nothing", "Without any data nothing is gained."),
    ("monotone", "No step to a less private level lowers the utility."),
    ("diminishing returns", "A user adds less, the more others there are."),
    ("truth is answered", "Whoever tells the truth is answered."),
    ("stable commitments", "Nobody gains by another commitment than its own."),
    ("no mixed equilibrium", "In no equilibrium does a party toss coins."),
    ("payments make it desirable", "Some payments make all parties truthful and willing, without a "
     "deficit."),
)  # fmt: skip  # read as a table
"""What properties say, by how their names begin; the first match counts."""


def describe_claim(name: str, deviating: str = LYING) -> str:
    """Return what a property claims.

    Parameters
    ----------
    name
        As verdicts carry it, such as "coalition-proof (size 2)".
    deviating
        What nobody gains by, from `name_deviations`.

    Returns
    -------
    str
        A sentence; empty for a property that is not ours.

    Examples
    --------
    >>> describe_claim("DSIC")
    'No party gains by lying, whatever the others report.'
    >>> describe_claim("ex-post IC", "choosing otherwise")
    'No party gains by choosing otherwise while the others do not.'
    """
    size = re.search(r"size (\d+)", name)
    said = {
        "size": f"{size[1]} parties" if size else "so many",
        "deviating": deviating,
        "others": "do not" if deviating == CHOOSING else "tell the truth",
        "act": "choose" if deviating == CHOOSING else "report",
    }
    for start, sentence in CLAIMS:
        if re.match(start, name):
            return sentence.format(**said)[:-1] + "".join(_describe_scope(name)) + "."
    return ""


def _describe_scope(name: str) -> Iterator[str]:
    """Yield for which other types than those at hand a property is claimed."""
    taste = re.search(r"\(exclusivity (.+)\)$", name)
    if taste:
        yield f", for an exclusivity {'of ' if taste[1][:1].isdigit() else ''}{taste[1]}"
    if name.endswith(" at other sizes"):
        yield ", also with other sizes of their data"
