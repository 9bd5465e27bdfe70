"""The society that a collaboration file describes, and which commitments its audit plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from aboveboard.curation.best_replies import WHISPER
from aboveboard.curation.commitments import (
    SILENCE,
    TRUTH,
    Agent,
    Commitment,
    CustomShape,
    Indicator,
    LinearPrice,
    Plateau,
    PriceShape,
    QuadraticPrice,
)
from aboveboard.curation.curation_file import CurationFile, FunctionTable
from aboveboard.curation.curation_game import Society
from aboveboard.curation.dependent_numbers import make_joint_steps
from aboveboard.curation.joint import make_joint, refuse_many_agents
from aboveboard.curation.number_society import (
    NumberSociety,
    Scale,
    Statistic,
    make_number_society,
)
from aboveboard.curation.social_functions import (
    Conjunction,
    CustomFunction,
    Disjunction,
    ListedFunction,
    Mean,
    Parity,
    SocialFunction,
    Threshold,
)
from aboveboard.errors import InputError
from aboveboard.games.numbers import Number
from aboveboard.mechanisms.user_functions import find_function

FUNCTIONS: Mapping[str, Callable[[FunctionTable], SocialFunction]] = {
    "majority": lambda t: Mean(Fraction(1, 2), _center_weight(t)),
    "threshold": lambda t: Threshold(t.k or 0, _center_weight(t)),
    "mean": lambda t: Mean(t.level or Fraction(0), _center_weight(t)),
    "parity": lambda t: Parity(),
    "and": lambda t: Conjunction(),
    "or": lambda t: Disjunction(),
    "table": lambda t: ListedFunction(tuple(bool(x) for x in t.values or ())),
    "callable": lambda t: CustomFunction(
        str(t.function), find_function(str(t.function), "function")
    ),
}


def _center_weight(table: FunctionTable) -> int:
    return 1 if table.center_weight is None else table.center_weight


SHAPES: Mapping[str, PriceShape] = {
    shape.KIND: shape for shape in (LinearPrice(), QuadraticPrice(), Plateau(), Indicator())
}


def find_shape(name: str, place: str) -> PriceShape:
    """Return a price shape: linear, quadratic, plateau, indicator, or "module:function".

    Raises
    ------
    InputError
        If there is no such shape, at `place` in the file.
    """
    if name in SHAPES:
        return SHAPES[name]
    return CustomShape(name, find_function(name, place, tuple(SHAPES)))


def make_society(file: CurationFile) -> Society:
    """Return the society that the file describes.

    A callable is called for every set of bits here, once, and a price for all commitments of the
    file and of its audit, so that errors are found before anything is run.

    Raises
    ------
    InputError
        If a callable is not found, fails, or returns what it must not.
    """
    agents = tuple(
        Agent(agent.value, agent.price, find_shape(agent.shape, f"parties.{name}.shape"))
        for name, agent in file.parties.items()
    )
    listed = list_commitments(file)
    for agent in agents:
        for commitment in listed:
            agent.shape.relative_price(commitment)
        agent.shape.outbid(0)  # finds out whether a callable jumps
    if file.function.is_about_numbers:
        return _make_numbers(file, agents)
    function = FUNCTIONS[file.function.kind](file.function)
    if isinstance(function, CustomFunction):
        function = ListedFunction(tuple(function.table(len(agents)).tolist()))
    return Society(function, agents, file.function.prior, _find_joint(file))


def _make_numbers(file: CurationFile, agents: tuple[Agent, ...]) -> NumberSociety:
    """Return the society of a median or an average."""
    table = file.function
    priors = [file.center.prior, *(agent.prior for agent in file.parties.values())]
    if any(x is not None for x in priors) or "prior" in table.model_fields_set:
        raise InputError(
            "function",
            "numbers have no prior",
            "state a distribution, the chance of each step",
        )
    statistic: Statistic = "median" if table.kind == "median" else "average"
    scale = make_scale(table)
    return make_number_society(
        statistic,
        agents,
        scale,
        table.distribution,
        _center_weight(table),
        _find_step_chances(file, len(scale.thresholds) + 1),
    )


def _find_step_chances(file: CurationFile, steps: int) -> tuple[Number, ...] | None:
    """Return the chances of all combinations of steps; None where all numbers are alike."""
    own = [file.center.distribution, *(agent.distribution for agent in file.parties.values())]
    joint, common = file.function.joint, file.function.distribution
    if joint is not None:
        if common is not None or any(x is not None for x in own):
            raise InputError(
                "function.joint", "there are distributions too", "use joint or distributions"
            )
        return joint
    if all(x is None for x in own):
        return None
    usual = common or (Fraction(1, steps),) * steps
    for name, chances in zip(("center", *file.parties), own, strict=True):
        if chances is not None and (len(chances) != steps or sum(chances) != 1):
            raise InputError(
                f"{'' if name == 'center' else 'parties.'}{name}.distribution",
                f"it has {len(chances)} chances that sum to {sum(chances)}",
                f"list {steps}, one for each step; they sum to 1",
            )
    return make_joint_steps([usual if chances is None else chances for chances in own])


def make_scale(table: FunctionTable) -> Scale:
    """Return how the numbers of a file are measured.

    Raises
    ------
    InputError
        If the thresholds are not in ascending order inside the range.
    """
    lowest, highest = table.range or (Fraction(0), Fraction(0))
    return Scale(lowest, highest, table.thresholds or ())


def _find_joint(file: CurationFile) -> tuple[Number, ...] | None:
    """Return the joint chances of the bits; None where all are independent with one prior."""
    own = [file.center.prior, *(agent.prior for agent in file.parties.values())]
    joint, common = file.function.joint, file.function.prior
    if joint is not None:
        if any(prior is not None for prior in own):
            raise InputError("function.joint", "there are priors too", "use joint or priors")
        return joint
    if all(prior is None for prior in own):
        return None
    refuse_many_agents(len(own) - 1)
    return make_joint([common if prior is None else prior for prior in own])


DEFAULT_COMMITMENTS = (
    Commitment(Fraction(3, 4), Fraction(1, 4)),
    Commitment(Fraction(0), Fraction(1)),
)
"""Audited unless the file lists others: half the truth, and its contrary."""

AUDITED_WHISPER = Commitment((1 + WHISPER) / 2, (1 - WHISPER) / 2)
"""A whisper: always audited, since the protocols reward whoever alone says next to nothing."""


def list_commitments(file: CurationFile) -> tuple[Commitment, ...]:
    """Return the commitments that the audit plays: truth, silence, a whisper, the file's."""
    chosen = [agent.commitment for agent in file.parties.values()]
    listed = file.design.commitments or DEFAULT_COMMITMENTS
    return tuple(dict.fromkeys([TRUTH, SILENCE, AUDITED_WHISPER, *listed, *chosen]))
