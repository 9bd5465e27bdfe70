"""What a collaboration file says about training: the table `[training]`, and a party's data.

Source of the scheme: "Mechanism Design for Multi-Party Machine Learning" (paper 002), sections 2.1
and 2.2: parties hold data of a valid size, the center trains, validates and hands out models.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from aboveboard.storage.options import TableKeys

AVERAGING_ROUNDS = 20
"""Enough for the averaged model of a few thousand rows to settle to three digits of its quality."""

LOCAL_STEPS = 5
"""Few, so that parties whose data differ do not run apart between two averages."""

CLIP = 3.0
"""Honest updates of one round rarely differ by more; a larger one would steer the average."""

PATIENCE = 600.0
"""Seconds that a party may take to answer: a fit of some millions of rows takes less."""

LOOPBACK_HOSTS = ("127.0.0.1", "[::1]", "localhost")
"""Hosts to whom a connection does not leave the machine."""

NODE_KEY = r"^[A-Za-z0-9+/]{80,400}={0,2}$"
"""A public key: base64 of its DER bytes."""

IMPORT_PATH = r"^\w+(\.\w+)+$"
"""A class by its import path, such as `sklearn.linear_model.LogisticRegression`."""

AveragingName = Literal["mean", "trimmed-mean", "median", "krum"]
StepColumns = Literal["numbers", "texts", "all"]


def _as_plain(value: Any) -> Any:
    """Return parameters as an estimator takes them: TOML's decimals become floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _as_plain(x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [_as_plain(x) for x in value]
    return value


EstimatorParameters = Annotated[dict[str, Any], BeforeValidator(_as_plain)]


class StepTable(BaseModel):
    """One step that prepares rows, or (as the last step) the estimator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: str = Field(pattern=IMPORT_PATH, description="import path of a scikit-learn class")
    on: StepColumns | None = Field(
        default=None,
        description="columns that it transforms; by default encoders take texts, imputers both "
        "kinds, all others numbers",
    )
    parameters: EstimatorParameters = Field(default={}, description="passed to the class")


def _as_step(value: Any) -> Any:
    return {"use": value} if isinstance(value, str) else value


class FlowerTable(BaseModel):
    """How parties on their own machines are reached: through a SuperLink of Flower."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    superlink: str = Field(
        pattern=r"^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$",
        description='address of the SuperLink, "host:port"',
    )
    certificates: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the SuperLink's certificate; without "
        "it the connection is not encrypted, which only the machine's own loopback allows",
    )
    app: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the app, as `aboveboard party --show-app` prints it; by default "
        "that of the installed version",
    )
    patience: Annotated[float, BeforeValidator(_as_plain)] = Field(
        default=PATIENCE,
        gt=0,
        le=86_400,
        description="seconds that a party may take to connect, or to answer, before it is absent",
    )

    @model_validator(mode="after")
    def _check_encryption(self) -> Self:
        host = self.superlink.rpartition(":")[0]
        if self.certificates is None and host not in LOOPBACK_HOSTS:
            raise ValueError(
                f"the connection to {host} would not be encrypted; name the file of certificates"
            )
        return self


class TrainingTable(TableKeys):
    """How the parties' data become models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    estimator: str = Field(
        default="",
        pattern=IMPORT_PATH,
        description="import path of a scikit-learn estimator; by default the last of the steps",
    )
    parameters: EstimatorParameters = Field(default={}, description="passed to the estimator")
    steps: tuple[Annotated[StepTable, BeforeValidator(_as_step)], ...] = Field(
        default=(),
        description="a scikit-learn pipeline: import paths, or tables {use, on, parameters}, of "
        "imputers, encoders and scalers, fitted to the center's rows; by default numbers are "
        "scaled",
    )
    metric: str | None = Field(
        default=None,
        description="scikit-learn's name of the score that quality is made of, such as accuracy; "
        "by default the Brier score, or the squared error",
    )
    method: Literal["federated", "pooled"] = Field(
        default="federated",
        description="parties' models are averaged, or one model is fitted to all rows together",
    )
    engine: Literal["in-process", "flower"] = Field(
        default="in-process",
        description="what asks the parties to train: in-process has their files; flower reaches "
        "them on their own machines",
    )
    flower: FlowerTable | None = Field(
        default=None, description="where the parties are reached, with engine flower"
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
        default=AVERAGING_ROUNDS, ge=1, le=10_000, strict=True, description="of federated averaging"
    )
    local_steps: int = Field(
        default=LOCAL_STEPS,
        ge=1,
        le=10_000,
        strict=True,
        description="of each party between two averages",
    )
    averaging: AveragingName = Field(
        default="mean",
        description="how updates are averaged; all but the mean bound what one party can do",
    )
    clip: Annotated[float, BeforeValidator(_as_plain)] = Field(
        default=CLIP,
        ge=1,
        description="an update longer than this many times the median one is shortened to that",
    )
    coincidences: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="how many test rows may stand in a party's file; by default what chance allows",
    )
    widest_interval: Annotated[float | None, BeforeValidator(_as_plain)] = Field(
        default=None,
        gt=0,
        description="in units of value: a run whose payments are less certain (95 percent "
        "interval) is refused",
    )
    failing: Literal["absent", "refuse"] = Field(
        default="absent",
        description="what a party that fails in training is: absent from then on, or a reason to "
        "refuse the run",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_last_step(cls, data: Any) -> Any:
        """Make the last step the estimator where no estimator is named."""
        if not isinstance(data, dict) or "estimator" in data:
            return data
        steps = data.get("steps")
        if not isinstance(steps, list | tuple) or not steps:
            raise ValueError("it names no estimator; write estimator, or steps that end with one")
        *steps, last = steps
        last = _as_step(last)
        if not isinstance(last, dict):
            return data
        return {
            **data,
            "steps": steps,
            "estimator": last.get("use", ""),
            "parameters": {**last.get("parameters", {}), **data.get("parameters", {})},
        }

    @model_validator(mode="after")
    def _check_engine(self) -> Self:
        if self.engine == "flower":
            if self.flower is None:
                raise ValueError(
                    "engine is flower, and nothing says where; add the table [training.flower] "
                    "with superlink"
                )
            if self.method == "pooled":
                raise ValueError(
                    "with engine flower rows stay with the parties; write method = federated"
                )
        elif self.flower is not None:
            raise ValueError("it has a table flower; write engine = flower, or leave it out")
        return self

    @model_validator(mode="after")
    def _check_features(self) -> Self:
        features = self.features or ()
        if len(set(features)) < len(features):
            raise ValueError("features names a column twice; name each once")
        if self.label is not None and self.label in features:
            raise ValueError("the label is among the features; leave it out of them")
        return self


class DataParty(TableKeys):
    """One party: the file of its data, and how its own machine is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path | None = Field(default=None, description="its rows, CSV or Parquet")
    label: str | None = Field(default=None, description="its column that is predicted")
    key: str | None = Field(
        default=None,
        pattern=NODE_KEY,
        description="with engine flower: the public key of the party's machine, as `aboveboard "
        "party --new-key` prints it",
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="with engine flower: SHA-256 of its rows' file; a machine with other rows is "
        "absent",
    )
