"""Settlement of numbers: shares, replies in intervals, and how much each agent learned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from aboveboard.curation.number_rounds import NumberRounds, tabulate_answers
from aboveboard.curation.number_society import NumberSociety
from aboveboard.curation.rounds import message_channels, noise_channels
from aboveboard.curation.settlement import Rounds
from aboveboard.errors import InputError
from aboveboard.formatting import encode_number, format_number, format_quantity, format_rounded
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.settlement import Exhibit, Reply, Settlement, Share


def settle_numbers(
    mechanism: str,
    rounds: Rounds,
    society: NumberSociety,
    reporting: Collection[str],
    answered: Sequence[bool],
    profits: Sequence[Number],
) -> Settlement:
    """Return the settlement of agents who report numbers.

    Parameters
    ----------
    mechanism
        The rule's name.
    rounds
        The steps on which all numbers are, in the place of bits, and what all have committed to.
    society
        What they want to know.
    reporting
        Who reports.
    answered, profits
        By agent.

    Raises
    ------
    InputError
        If the replies are to be two bits.
    """
    if rounds.replies != "messages":
        raise InputError(
            "replies", "two bits answer a question about bits", 'omit replies = "two-bits"'
        )
    numbers = NumberRounds(rounds, society)
    shares, rows = {}, []
    for i, name in enumerate(rounds.names):
        if name in reporting:
            shares[name], row = _settle_agent(numbers, i, answered[i], profits[i])
            rows.append(row)
    scale = society.scale
    return Settlement(
        mechanism,
        shares,
        {
            "rounds": len(rounds.center),
            "thresholds": [encode_number(x) for x in scale.thresholds],
            "resolution": encode_number(scale.resolution),
            "answered": [n for n, yes in zip(rounds.names, answered, strict=True) if yes],
            "notes": [],
        },
        headline=(
            f"{sum(row[1] for row in rows)} of {format_quantity(len(rows), 'agent')} got the "
            "center's bits and all messages; each row is answered by an interval of width "
            f"{format_number(scale.resolution)} at most for the {society.statistic} (gains are "
            "expected values per row)."
        ),
        exhibits=(_tabulate(rows, society),),
    )


def _settle_agent(
    numbers: NumberRounds, i: int, answered: bool, profit: Number
) -> tuple[Share, tuple[Any, ...]]:
    """Return an agent's share, and its row of the exhibit."""
    rounds, society = numbers.rounds, numbers.society
    agent, name = society.agents[i], rounds.names[i]
    alone = numbers.answer(i, numbers.make_noise(i), noise_channels(len(rounds.names)))
    answers = alone
    if answered:
        answers = numbers.answer(i, numbers.full_reply, message_channels(rounds.profile))
    correct, error = numbers.measure_accuracy(answers), numbers.measure_error(answers)
    share = Share(
        benefit=profit,
        utility=None if agent.price is None else profit - agent.cost(rounds.profile[i]),
        payment=0,
        reply=Reply("csv", rows=partial(tabulate_answers, numbers, rounds.names, answers)),
        more={"correct": correct, "error": error},
    )
    expected, expected_alone = profit / agent.value, society.profit_alone(i) / agent.value
    error_alone = numbers.measure_error(alone)
    return share, (name, answered, expected, correct, error, expected_alone, error_alone)


def _tabulate(rows: Sequence[tuple[Any, ...]], society: NumberSociety) -> Exhibit:
    """Return the table of what each agent learned."""
    chances = "independent numbers with the distribution of the file"
    if society.step_chances is not None:
        chances = "numbers with the chances that the file states"
    return Exhibit(
        "What each agent learned",
        ("agent", "answered", "expected", "measured", "error", "expected alone", "error alone"),
        tuple(rows),
        "Shares of right answers about thresholds, weighted by steps, and mean absolute "
        f"errors of the {society.statistic}, rounded down to a step of "
        f"{format_rounded(float(society.scale.resolution), 3)} at most. Expected values assume "
        f"{chances}.",
    )
