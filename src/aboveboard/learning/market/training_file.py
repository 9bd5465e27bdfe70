"""What a collaboration file says about training: the table `[training]`, and a party's data.

Source of the scheme: "Mechanism Design for Multi-Party Machine Learning" (paper 002), sections 2.1
and 2.2: parties hold data of a valid size, the center trains, validates and hands out models.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

ROUNDS = 20
"""Enough for the averaged model of a few thousand rows to settle to three digits of its quality."""
LOCAL_STEPS = 5
"""Few, so that parties whose data differ do not run apart between two averages."""
TIMEOUT = 600
"""Seconds within which a party must answer: far beyond what a local fit of a linear model takes."""


def _plain(value: Any) -> Any:
    """Return parameters as an estimator wants them: TOML's decimals become floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _plain(x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    return value


class TrainingTable(BaseModel):
    """How the parties' data become models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    estimator: str = Field(
        pattern=r"^\w+(\.\w+)+$",
        description="import path of a scikit-learn estimator",
    )
    parameters: Annotated[dict[str, Any], BeforeValidator(_plain)] = Field(
        default={}, description="handed to the estimator"
    )
    method: Literal["federated", "pooled"] = Field(
        default="federated",
        description="parties' rows stay in their own processes, or the center sees them",
    )
    test: Path = Field(description="the center's held-out rows, on which models are scored")
    validation: Path | None = Field(
        default=None,
        description="further rows of the center, from which it learns how quality grows with size; "
        "without it, a half of the test set",
    )
    label: str | None = Field(default=None, description="the column that is predicted")
    features: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="the columns it is predicted from; all others"
    )
    rounds: int = Field(
        default=ROUNDS, ge=1, le=10_000, strict=True, description="of federated averaging"
    )
    local_steps: int = Field(
        default=LOCAL_STEPS,
        ge=1,
        le=10_000,
        strict=True,
        description="of each party between two averages",
    )
    timeout: int = Field(
        default=TIMEOUT,
        ge=1,
        le=86_400,
        strict=True,
        description="seconds in which a party must answer",
    )
    coincidences: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="how many test rows may stand in a party's file; by default what chance allows",
    )

    @model_validator(mode="after")
    def _features_fit(self) -> Self:
        features = self.features or ()
        if len(set(features)) < len(features):
            raise ValueError("features names a column twice; name each once")
        if self.label is not None and self.label in features:
            raise ValueError("the label is among the features; leave it out of them")
        return self


class DataParty(BaseModel):
    """One party's data: its file, or the program that speaks for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path | None = Field(default=None, description="its rows, CSV or Parquet")
    label: str | None = Field(default=None, description="its column that is predicted")
    command: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="a program that speaks for it, for example on another machine",
    )
