"""A round of learning.payments in which models are trained on members' tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from rounds_of_files import RoundOfFiles

from aboveboard.commands import rounds

ROWS = {"test": 400, "validation": 400, "anna": 160, "bert": 120, "cleo": 40}
MEMBERS = ("anna", "bert", "cleo")


class TrainedRound(RoundOfFiles):
    """Each member brings a table."""

    def mine(self, name: str) -> Path:
        return self.tmp / name / "rows.csv"


def draw_table(rows: int, rng: np.random.Generator) -> str:
    x = rng.normal(size=(rows, 3)).round(5)
    chance = 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1])))
    y = (rng.random(rows) < chance).astype(int)
    lines = ["age,dose,weight,sick"]
    lines += [f"{a},{b},{c},{label}" for (a, b, c), label in zip(x.tolist(), y, strict=True)]
    return "\n".join(lines) + "\n"


def hold_trained_round(
    tmp: Path, *, opened: str = "center", training: dict[str, Any] | None = None
) -> TrainedRound:
    """Hold the round up to the members' results."""
    rng = np.random.default_rng(7)
    tables = {name: draw_table(rows, rng) for name, rows in ROWS.items()}
    center = tmp / "center"
    (center / "members").mkdir(parents=True)
    for name in ("test", "validation"):
        (center / f"{name}.csv").write_text(tables[name])
    for name in MEMBERS:
        rounds.make_keys(tmp / name / "keys")
        public = (tmp / name / "keys" / "public.json").read_bytes()
        (center / "members" / f"{name}.json").write_bytes(public)
        (tmp / name / "rows.csv").write_text(tables[name])
    table: dict[str, Any] = {
        "mechanism": "learning.payments",
        "name": "trained",
        "counterfactual": "participants",
        "training": {
            "estimator": "sklearn.linear_model.LogisticRegression",
            "method": "pooled",
            "test": "test.csv",
            "validation": "validation.csv",
            "label": "sick",
            **(training or {}),
        },
        "valuation": {
            "kind": "linear",
            "matrix": [[9.0, -1.0, -1.0], [-1.0, 6.0, -1.0], [0.0, 0.0, 4.0]],
        },
        "parties": {name: {} for name in MEMBERS},
    }
    if table["training"]["validation"] is None:
        del table["training"]["validation"]
    (center / "file.toml").write_text(tomli_w.dumps(table))
    made = TrainedRound(tmp, MEMBERS)
    rounds.open_collaboration(center / "file.toml", center / "members", made.folder, opened=opened)
    for name in MEMBERS:
        rounds.agree(made.folder, tmp / name)
    rounds.close_step(made.folder)
    for name in MEMBERS:
        rounds.commit(made.member(name), made.mine(name))
    rounds.close_step(made.folder)
    for name in MEMBERS:
        rounds.submit(made.member(name))
    rounds.settle_round(made.folder)
    for name in MEMBERS:
        rounds.fetch(made.member(name), made.result(name))
    return made
