"""Training on rows that stay where they are: every party is a process, models are averaged.

Cost: a fit of all rows and one of half of them for each party and each weight of rows, and rounds x
parties local fits for each joint model; the parties work at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aboveboard.errors import InputError
from aboveboard.learning.market.training_file import TrainingTable
from aboveboard.learning.training.averaging import average, run_averaging
from aboveboard.learning.training.center import Center
from aboveboard.learning.training.estimators import (
    Parameters,
    build_model,
    can_continue,
    extract_parameters,
    fit_model,
)
from aboveboard.learning.training.federation import Federation, Traffic
from aboveboard.learning.training.messages import Message
from aboveboard.learning.training.scores import NOTHING, Skill, measure_skill

LARGEST = 1e100
"""Of a parameter: larger ones overflow in a prediction, and no fit gives them."""


@dataclass
class FederatedTrainer:
    """Trains through a federation of running processes.

    Parameters
    ----------
    federation
        The parties' processes.
    center
        What the center holds.
    estimator
        Unfitted; linear.
    table
        The file's `[training]`.
    seed
        Of everything drawn.
    """

    federation: Federation
    center: Center
    estimator: Any
    table: TrainingTable
    seed: int

    def __post_init__(self) -> None:
        rows, terms = self.center.validation, self.center.terms
        self._pattern = fit_model(
            self.estimator, rows.x, terms.decode_labels(rows.y), "training.validation"
        )
        self._shape = extract_parameters(self._pattern)
        self._alone: dict[tuple[str, float], Parameters] = {}
        self._left_out: dict[str, int] = {}

    def claimed(self) -> dict[str, int]:
        """Ask every party how many distinct rows it says it has."""
        said = {
            "estimator": self.table.estimator,
            "parameters": self.table.parameters,
            "seed": self.seed,
            "features": list(self.center.terms.features),
            "label": self.center.terms.label,
            "classes": self.center.terms.classes,
            "whole": self.center.whole,
        }
        scaling = {"mean": self.center.mean, "deviation": self.center.deviation}
        welcomes = {
            name: Message("welcome", {**said, "party": name}, scaling)
            for name in self.federation.commands
        }
        answers = self.federation.ask(welcomes, "rows")
        return {name: int(answer.scalars["count"]) for name, answer in answers.items()}

    def alone(self, parts: int, weight: float) -> dict[str, Any]:
        """Have every party train on the first of so many parts of its rows; give its model.

        Every row has this weight. A party is sent zeros in the shape of the model: one that sends
        back what it was given has a model that predicts nothing.
        """
        nothing = {
            "coef": np.zeros_like(self._shape.coef),
            "intercept": np.zeros_like(self._shape.intercept),
        }
        asked = Message("fit", {"parts": parts, "weight": weight}, nothing)
        found = self._models(dict.fromkeys(self.federation.commands, asked))
        if parts == 1:
            self._alone |= {(name, weight): parameters for name, parameters in found.items()}
        return {name: build_model(self._pattern, parameters) for name, parameters in found.items()}

    def found(self) -> dict[str, tuple[int, str]]:
        """Ask every party how many test rows it has, and where the first stands."""
        asked = Message("compare", arrays={"digests": self.center.digests})
        answers = self.federation.ask(dict.fromkeys(self.federation.commands, asked), "found")
        return {
            name: (int(answer.scalars["count"]), str(answer.scalars["line"])[:40])
            for name, answer in answers.items()
        }

    def joint(
        self,
        sizes: Mapping[str, float],
        best: Mapping[str, float],
        quality: Callable[[Any], float],
    ) -> Any:
        """Return the model averaged over these parties, by their valid sizes (all above 0).

        `best` is the weight of rows with which each party's own model was best; it keeps it.
        """
        own = {name: self._alone[name, best[name]] for name in sizes}
        start = average(own, sizes)
        if len(sizes) == 1 or not can_continue(self.estimator):
            return build_model(self._pattern, start)
        floors = {name: self._floor(model) for name, model in own.items()}

        def steps(current: Parameters) -> Mapping[str, Parameters]:
            given = {"coef": current.coef, "intercept": current.intercept}
            said = {"parts": 1, "steps": self.table.local_steps}
            return self._models(
                {name: Message("step", {**said, "weight": best[name]}, given) for name in sizes}
            )

        def accepts(name: str, update: Parameters) -> bool:
            return self._quality(update).value >= floors[name]

        averaged = run_averaging(start, steps, sizes, self.table.rounds, accepts)
        for name, rounds in averaged.left_out.items():
            self._left_out[name] = self._left_out.get(name, 0) + rounds
        return build_model(self._pattern, averaged.parameters)

    def notes(self) -> list[str]:
        """Say what a reader of the settlement should know."""
        said = ["federated averaging: the parties' rows stayed in their own processes"]
        if not can_continue(self.estimator):
            said.append("the estimator has no warm start: the parties' models were averaged once")
        said += [
            f"{rounds} updates of {name} were worse than its own first model and left out"
            for name, rounds in self._left_out.items()
            if rounds
        ]
        return said

    def traffic(self) -> tuple[Traffic, ...]:
        """Return what passed between the center and the parties."""
        return self.federation.traffic()

    def _floor(self, own: Parameters) -> float:
        measured = self._quality(own)
        # A model that predicts nothing is never good enough, however uncertain the party's own is.
        return max(measured.value - measured.error, NOTHING)

    def _quality(self, parameters: Parameters) -> Skill:
        model = build_model(self._pattern, parameters)
        return measure_skill(model, self.center.validation, self.center.terms)

    def _models(self, requests: Mapping[str, Message]) -> dict[str, Parameters]:
        answers = self.federation.ask(requests, "parameters")
        return {name: self._checked(name, answer) for name, answer in answers.items()}

    def _checked(self, name: str, answer: Message) -> Parameters:
        found = Parameters(answer.arrays["coef"], answer.arrays["intercept"])
        for key, given, due in (
            ("coef", found.coef, self._shape.coef),
            ("intercept", found.intercept, self._shape.intercept),
        ):
            if given.shape != due.shape or given.dtype != np.float64:
                problem = f"it sent {key} of shape {given.shape} where {due.shape} is due"
                raise InputError(f"parties.{name}", problem, "send the model that was asked for")
            if not (np.abs(given) <= LARGEST).all():
                raise InputError(
                    f"parties.{name}",
                    f"it sent {key} that is no finite number or beyond {LARGEST:g}",
                    "look at its data and at training.parameters",
                )
        return found
