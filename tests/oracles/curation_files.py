"""Collaboration files of curation for tests, written from a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import aboveboard as ab

Rows = Sequence[int]


def write_file(
    folder: Path,
    bits: Mapping[str, Rows],
    *,
    center: Rows = (0, 1) * 4,
    protocol: str = "fair",
    function: str = 'kind = "threshold"\nk = 2',
    more: Mapping[str, str] | None = None,
) -> Path:
    """Write a collaboration file; what is left out has a usual value."""
    extra = more or {}
    text = f'mechanism = "curation.{protocol}"\nseed = 5\n[function]\n{function}\n'
    text += f"[center]\nbits = {list(center)}\n"
    for name, rows in bits.items():
        keys = extra.get(name, "")
        price = "" if "price =" in keys else "price = 0.1\n"
        text += f"[parties.{name}]\n{price}{keys}\nbits = {list(rows)}\n"
    path = folder / "curation.toml"
    path.write_text(text)
    return path


def read_replies(path: Path, name: str) -> np.ndarray:
    """Return the center's bit and the messages that an agent is handed, by round."""
    share = ab.run(ab.load(path)).parties[name]
    assert share.reply.rows is not None
    frame = share.reply.rows()
    columns = [c for c in frame.columns if c == "center" or c.startswith("message of")]
    return frame.select(columns).to_numpy()


def draw_bits(rounds: int, names: str, seed: int = 0) -> tuple[list[int], dict[str, list[int]]]:
    """Return random bits of the center and of each agent."""
    drawn = np.random.default_rng(seed).integers(0, 2, (rounds, len(names) + 1))
    return drawn[:, 0].tolist(), {n: drawn[:, k + 1].tolist() for k, n in enumerate(names)}
