"""What Flower costs a round: the same training in process and through real processes, in one run.

    python -m benchmarks.flower_engine          # in an environment with aboveboard[flower]

A SuperLink and four parties run on this machine, on 127.0.0.1. Each training is done with few and
with many rounds of averaging; the difference, over the rounds between, is what a round costs, and
the start of everything drops out. With as many rounds, both ways must measure the same joint
quality, to the last bit. Memory is that of one party's process at its end.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from aboveboard.collaborations.collaboration import load, run
from aboveboard.learning.flower import make_node_key
from aboveboard.learning.training import joint_training
from benchmarks.comparison import agree

NAMES = ("north", "south", "east", "west")
DATA = Path(__file__).parents[1] / "tests" / "learning" / "data" / "hospitals"
ROUNDS = (5, 25)
FILE = """
mechanism = "learning.payments"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
test = "test.csv"
validation = "validation.csv"
label = "diagnosis"
rounds = {rounds}
{more}
[training.parameters]
C = 0.05
[valuation]
kind = "linear"
matrix = [[100, -10, -5, 0], [-10, 80, -5, 0], [-5, -5, 40, 0], [0, 0, 0, 30]]
"""


def measure(path: Path) -> tuple[float, float, float]:
    """Return the seconds of a run, those of all processors, and the joint quality."""
    joint_training._DONE.clear()
    collaboration = load(path)
    begun, cpu = time.perf_counter(), read_cpu()
    settlement = run(collaboration)
    quality = settlement.details["training"]["joint_quality"]
    return time.perf_counter() - begun, read_cpu() - cpu, float(quality)


def read_cpu() -> float:
    """Return the processor seconds of this process and those that it started, so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    spent = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in children]
    return time.process_time() + sum(int(each[11]) + int(each[12]) for each in spent) / ticks


def read_memory(process: int) -> float:
    """Return the resident memory of a process, in MiB."""
    text = Path(f"/proc/{process}/status").read_text()
    (line,) = [each for each in text.splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure and print."""
    import shutil

    from oracles.flower_processes import start_party, start_superlink

    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        for file in DATA.iterdir():
            shutil.copy(file, folder)
        keys = {each: make_node_key(folder / f"{each}.pem") for each in NAMES}
        address = stack.enter_context(start_superlink(folder))
        parties = [stack.enter_context(start_party(folder, each, address)) for each in NAMES]
        flower = f'engine = "flower"\nflower = {{superlink = "{address}"}}'
        spent: dict[str, list[tuple[float, float]]] = {"in process": [], "flower": []}
        measure(write(folder, "warm", ROUNDS[0], "", {}))
        for rounds in ROUNDS:
            *here, quality = measure(write(folder, "here", rounds, "", {}))
            *there, other = measure(write(folder, "there", rounds, flower, keys))
            agree(quality == other, what=f"{rounds} rounds")
            spent["in process"].append((here[0], here[1]))
            spent["flower"].append((there[0], there[1]))
        between = ROUNDS[1] - ROUNDS[0]
        for engine, (few, many) in spent.items():
            wall, cpu = (1000 * (b - a) / between for a, b in zip(few, many, strict=True))
            print(f"{engine}: {few[0]:.2f} s with {ROUNDS[0]} rounds, {many[0]:.2f} s with "
                  f"{ROUNDS[1]}: {wall:.0f} ms a round of 9 models and 4 parties, of which all "
                  f"processors were busy for {cpu:.0f} ms")  # fmt: skip
        print(f"one party's memory: {read_memory(parties[0].pid):.0f} MiB")


def write(folder: Path, name: str, rounds: int, more: str, keys: dict[str, str]) -> Path:
    """Write a collaboration file; with keys the parties are on machines of their own."""
    path = folder / f"{name}.toml"
    tables = "".join(
        f"[parties.{each}]\n" + (f'key = "{keys[each]}"\n' if keys else f'data = "{each}.csv"\n')
        for each in NAMES
    )
    path.write_text(FILE.format(rounds=rounds, more=more) + tables)
    return path


if __name__ == "__main__":
    main()
