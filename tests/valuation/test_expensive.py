"""Expensive utilities: each coalition once, kept on disk, anywhere, and through every kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aboveboard as ab
from aboveboard import commands
from aboveboard.errors import InputError
from aboveboard.mechanisms.mechanism import Work
from aboveboard.mechanisms.user_code import find_source
from aboveboard.mechanisms.user_functions import import_function
from aboveboard.settlements import writing as folder
from aboveboard.settlements.replaying import replay
from aboveboard.valuation.evaluation import executors
from aboveboard.valuation.evaluation.evaluations import IN_FLIGHT, EvaluationCache, map_unordered
from aboveboard.valuation.evaluation.executors import open_executor
from aboveboard.valuation.utilities.user_utilities import load_function
from trusting import trust

SCORE = """
import os, time
from pathlib import Path
import weights_{tag}

def value(levels):
    with open(Path(__file__).parent / "calls.txt", "a") as calls:
        calls.write(f"{{levels}} {{os.getpid()}}\\n")
    print("this is not a result")
    time.sleep({seconds})
    return weights_{tag}.FIRST * levels[0] + sum(levels) ** 0.5
"""
_tags = iter(range(10**6))


class Place:
    """A folder with a collaboration file and the function that it names beside it."""

    def __init__(self, path: Path, users: int = 5, seconds: float = 0.0, more: str = "") -> None:
        self.path, self.tag = path, f"{os.getpid()}_{next(_tags)}"
        (path / f"score_{self.tag}.py").write_text(SCORE.format(tag=self.tag, seconds=seconds))
        self.weigh(1)
        parties = "".join(f"[parties.p{i}]\nlevel = {i + 1}\n" for i in range(users))
        self.file = path / "collaboration.toml"
        self.file.write_text(
            f'mechanism = "valuation.payments"\nseed = 0\n[utility]\nkind = "callable"\n'
            f'function = "score_{self.tag}:value"\n{more}\n{parties}'
        )

    def weigh(self, first: int) -> None:
        (self.path / f"weights_{self.tag}.py").write_text(f"FIRST = {first}\n")

    def calls(self) -> list[str]:
        """Return for what levels the function was called."""
        path = self.path / "calls.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.rpartition(" ")[0] for line in lines]

    def run(self, out: str = "out", work: Work | None = None) -> dict[str, Any]:
        """Run it, and give the manifest."""
        collaboration = ab.load(self.file, trust_code=True).with_work(work or Work())
        commands.settle(collaboration, self.path / out, force=True)
        return json.loads((self.path / out / folder.MANIFEST).read_text())

    def kept(self) -> Path:
        """Return the file of values."""
        (found,) = (self.path / ".aboveboard-cache").iterdir()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class TestOnceAndKept:
    def test_each_coalition_is_evaluated_once_by_a_run_and_by_no_later_one(
        self, place: Place
    ) -> None:
        first = place.run()
        assert sorted(Counter(place.calls()).values()) == [1] * 32
        assert first["details"]["evaluations"] == 32
        assert place.run() == first
        commands.audit_collaboration(
            ab.load(place.file, trust_code=True)
        )  # asks for further levels, and for none again
        assert max(Counter(place.calls()).values()) == 1

    def test_a_warm_run_a_cold_one_and_one_without_a_cache_give_the_same_bytes(
        self, place: Place
    ) -> None:
        outs = [place.run(out) for out in ("cold", "warm")]
        place.kept().unlink()
        collaboration = ab.load(place.file, trust_code=True).with_work(
            Work(cache=place.path / "elsewhere")
        )
        commands.settle(collaboration, place.path / "other")
        assert replay(place.path / "cold", commands.settle, trust_code=True).differ == ()
        assert outs[0] == outs[1]
        for name in (folder.MANIFEST, folder.REPORT):
            assert (place.path / "cold" / name).read_bytes() == (
                place.path / "other" / name
            ).read_bytes()

    def test_a_module_that_it_imports_is_part_of_its_content(self, place: Place) -> None:
        before = place.run()
        place.weigh(2)  # as many bytes, within the same second
        after = place.run()
        assert len(place.calls()) == 64
        assert after["parties"]["p0"]["share"] == pytest.approx(
            before["parties"]["p0"]["share"] + 1
        )

    def test_a_file_that_it_reads_is_part_of_its_content_and_an_input_of_the_run(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "scores.csv").write_text("1\n")
        place = Place(tmp_path, 3, more='reads = ["scores.csv"]')
        assert "scores.csv" in place.run()["inputs"]
        (tmp_path / "scores.csv").write_text("2\n")
        place.run()
        assert len(place.calls()) == 16
        (tmp_path / "scores.csv").unlink()
        with pytest.raises(InputError, match=r"utility\.reads"):
            place.run()

    @pytest.mark.parametrize("more", ["cache = false", 'cache = "values"'])
    def test_the_file_says_where_values_are_kept(self, tmp_path: Path, more: str) -> None:
        place = Place(tmp_path, 3, more=more)
        place.run()
        assert not (tmp_path / ".aboveboard-cache").exists()
        assert (tmp_path / "values").exists() == ("values" in more)
        assert len(place.calls()) == 8  # the report's audit asks for nothing again

    def test_a_folder_that_cannot_be_written_is_done_without(self, place: Place) -> None:
        (place.path / ".aboveboard-cache").write_text("in the way")
        place.run()
        assert len(place.calls()) == 32

    @pytest.mark.deep
    @pytest.mark.parametrize("damage", ["tear", "change a value", "not text"])
    def test_a_damaged_record_is_not_believed(self, place: Place, damage: str) -> None:
        before = place.run()
        content = place.kept().read_bytes()
        damaged = {
            "tear": content[:-20],
            "change a value": content[:-6] + b"7" + content[-5:],
            "not text": content[:-60] + bytes(range(200, 240)) + content[-20:],
        }[damage]
        place.kept().write_bytes(damaged)
        assert place.run() == before
        assert 32 < len(place.calls()) <= 34
        place.run()
        assert len(place.calls()) <= 34

    def test_runs_at_the_same_time_share_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "values.txt"
        levels = [tuple(Fraction(i) for i in (k, k + 1)) for k in range(200)]

        def add(start: int) -> None:
            kept = EvaluationCache(path)
            for each in levels[start : start + 100]:
                kept.add(each, float(each[0]) / 3)

        threads = [threading.Thread(target=add, args=(start,)) for start in (0, 50, 100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        again = EvaluationCache(path)
        assert all(each in again and again[each] == float(each[0]) / 3 for each in levels)

    @given(
        st.lists(st.just(inf) | st.fractions(min_value=0), max_size=4),
        st.integers() | st.fractions() | st.floats(allow_nan=False, allow_infinity=False),
    )
    def test_values_are_kept_exactly(self, levels: list[Any], value: Any) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as there:
            path = Path(there) / "values.txt"
            EvaluationCache(path).add(tuple(levels), value)
            again = EvaluationCache(path)
            assert tuple(levels) in again
            assert again[tuple(levels)] == value
            assert type(again[tuple(levels)]) is type(value)
            assert str(again[tuple(levels)]) == str(value)

    def test_two_modules_of_one_name_are_told_apart(self, tmp_path: Path) -> None:
        found = []
        for k in (1, 2):
            there = tmp_path / str(k)
            there.mkdir()
            (there / "twin_score.py").write_text(
                "import twin_helper\ndef value(levels):\n    return twin_helper.WORTH\n"
            )
            (there / "twin_helper.py").write_text(f"WORTH = {k}\n")
            (there / "c.toml").write_text(
                'mechanism = "valuation.payments"\nseed = 0\n[utility]\nkind = "callable"\n'
                'function = "twin_score:value"\n[parties.a]\nlevel = 1\n'
            )
            found.append(ab.run(ab.load(there / "c.toml", trust_code=True)).details["utility"])
        assert found == [1, 2]

    def test_a_module_of_a_package_is_found_with_what_it_imports(self, tmp_path: Path) -> None:
        package = tmp_path / "scores_of_mine"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "parts.py").write_text("ONE = 1\n")
        (package / "score.py").write_text(
            "from .parts import ONE\ndef value(levels):\n    return ONE * len(levels)\n"
        )
        sys.path.append(str(tmp_path))
        try:
            before = find_source("scores_of_mine.score:value")
            assert before.folder == str(tmp_path)
            assert import_function(before)((1, 2)) == 2
            (package / "parts.py").write_text("ONE = 2\n")
            after = find_source("scores_of_mine.score:value")
            assert after.code != before.code
            assert import_function(after)((1, 2)) == 4
            (package / "unused.py").write_text("")
            assert find_source("scores_of_mine.score:value") == after
        finally:
            sys.path.remove(str(tmp_path))


@pytest.mark.deep
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    place = Place(tmp_path, users=6, seconds=0.03)
    command = [
        sys.executable,
        "-m",
        "aboveboard",
        "run",
        str(place.file),
        *trust(place.file),
        "--out",
    ]
    first = subprocess.Popen([*command, str(tmp_path / "a")], stderr=subprocess.DEVNULL)
    waited = time.monotonic() + 60
    while len(place.calls()) < 10 and time.monotonic() < waited:
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert 10 <= len(place.calls()) < 64
    again = subprocess.run(
        [*command, str(tmp_path / "b"), "--format", "json"], capture_output=True, check=True
    )
    assert json.loads(again.stdout)["details"]["evaluations"] == 64  # and nothing that it printed
    calls = Counter(place.calls())
    assert len(calls) == 64
    assert sum(calls.values()) <= 65  # the one that was killed


class TestWork:
    def test_progress_is_told_after_every_evaluation(self, place: Place) -> None:
        told: list[tuple[int, int]] = []
        place.run(work=Work(progress=lambda done, most: told.append((done, most))))
        assert told == [(k, 32) for k in range(1, 33)]

    @pytest.mark.deep
    def test_what_is_known_counts_as_done(self, place: Place) -> None:
        place.run()
        lines = place.kept().read_text().split("\n\n")
        place.kept().write_text("\n\n".join(lines[:-5]))
        told: list[tuple[int, int]] = []
        place.run(work=Work(progress=lambda done, most: told.append((done, most))))
        assert told == [(k, 32) for k in range(28, 33)]

    def test_a_bounded_number_is_in_flight(self) -> None:
        class Slow(ThreadPoolExecutor):
            under_way, most = 0, 0

            def submit(self, *args: Any) -> Any:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
                return super().submit(*args)

        with Slow(2) as pool:
            for _, _ in map_unordered(lambda x: x, range(1000), pool):
                pool.under_way -= 1
        assert pool.most <= IN_FLIGHT

    def test_a_function_that_fails_is_told_with_its_levels_and_what_was_done_is_kept(
        self, tmp_path: Path
    ) -> None:
        place = Place(tmp_path, 3)
        module = tmp_path / f"score_{place.tag}.py"
        module.write_text(
            module.read_text().replace(
                "    time.sleep", "    if all(levels): raise OSError('no disk')\n    time.sleep"
            )
        )
        for work in (Work(), Work(ThreadPoolExecutor(2))):
            with pytest.raises(InputError, match=r"OSError: no disk \(levels \(1, 2, 3\)\)"):
                place.run(work=work)
        assert Counter(place.calls())["(1, 2, 3)"] == 2
        assert len(place.calls()) == 9

    @pytest.mark.deep
    @pytest.mark.parametrize("spec", ["threads", "threads:3", "processes:2"])
    def test_executors_give_the_same_bytes(
        self, place: Place, spec: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with open_executor(spec) as pool:
            there = place.run("there", Work(pool))
        assert sorted(Counter(place.calls()).values()) == [1] * 32
        assert capfd.readouterr().out == ""
        place.kept().unlink()
        assert place.run("here") == there

    @pytest.mark.deep
    def test_a_process_that_dies_is_told_in_one_line_and_the_next_run_goes_on(
        self, tmp_path: Path
    ) -> None:
        place = Place(tmp_path, users=5)
        module, fuse = tmp_path / f"score_{place.tag}.py", tmp_path / "fuse"
        fuse.touch()
        dying = (
            "    fuse = Path(__file__).parent / 'fuse'\n"
            "    if fuse.exists() and levels == (0, 2, 0, 4, 5):\n"
            "        fuse.unlink(); os._exit(9)\n    return"
        )
        module.write_text(module.read_text().replace("    return", dying))
        with (
            open_executor("processes:2") as pool,
            pytest.raises(InputError, match="rerun to resume"),
        ):
            place.run(work=Work(pool))
        done = len(place.kept().read_text().split())
        assert done > 0
        before = len(place.calls())
        with open_executor("processes:2") as pool:
            place.run(work=Work(pool))
        assert len(set(place.calls())) == 32
        assert len(place.calls()) <= before + 32

    def test_a_lambda_can_be_called_by_threads(self) -> None:
        from aboveboard.valuation import FunctionUtility

        with open_executor("threads:2") as pool:
            utility = FunctionUtility("here:f", lambda levels: sum(levels)).with_work(Work(pool))
            assert utility.table([Fraction(1), Fraction(2)]).tolist() == [0, 1, 2, 3]

    def test_sampled_shares_go_through_an_executor_too(self) -> None:
        from aboveboard.valuation import sample_shares

        with open_executor("threads:2") as pool:
            there = sample_shares(len, 8, "svarm", 220, work=Work(pool))
        assert there == sample_shares(len, 8, "svarm", 220)

    @pytest.mark.parametrize(
        "spec",
        ["", "thread", "threads:", "threads:0", "threads:x", "threads:9999", "processes:-1",
         "dask", "dask:2", "dask://", "dask://host", "dask://host:0", "dask://host:70000",
         "dask://a b:1", "tcp://h:1"],
    )  # fmt: skip
    def test_a_text_that_names_no_executor_is_refused(self, spec: str) -> None:
        with pytest.raises(InputError, match=r"executor .*dask://HOST:PORT|1 to"):
            open_executor(spec)

    @pytest.mark.deep
    def test_a_scheduler_that_does_not_answer_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert executors.PATIENCE <= 10
        monkeypatch.setattr(executors, "PATIENCE", 1)
        with (
            pytest.raises(InputError, match="no scheduler answers"),
            open_executor("dask://127.0.0.1:9"),
        ):
            pass


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A Dask cluster of two worker processes on this machine, started elsewhere than here."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        processes=True,
        threads_per_worker=1,
        dashboard_address=None,
        host="127.0.0.1",
        silence_logs=50,
    ) as found:
        yield found


def at(cluster: Any) -> Any:
    return open_executor(cluster.scheduler_address.replace("tcp://", "dask://"))


class TestDask:
    @pytest.mark.deep
    def test_a_cluster_gives_the_same_bytes_though_a_worker_is_killed_in_the_middle(
        self, tmp_path: Path, cluster: Any
    ) -> None:
        place = Place(tmp_path, users=7, seconds=0.02)
        killed: list[int] = []

        def kill(done: int, most: int) -> None:
            if done == 40 and not killed:
                lines = (tmp_path / "calls.txt").read_text().splitlines()
                killed.append(int(lines[-1].rpartition(" ")[2]))
                os.kill(killed[0], signal.SIGKILL)

        with at(cluster) as pool:
            there = place.run("there", Work(pool, progress=kill))
        assert killed
        calls = Counter(place.calls())
        assert len(calls) == 128
        # Twice at most what was under way: what the dead worker ran, or had not yet handed over.
        assert sum(calls.values()) <= 128 + IN_FLIGHT
        assert max(calls.values()) <= 2
        workers = {line.rpartition(" ")[2] for line in (tmp_path / "calls.txt").open()}
        assert len(workers) >= 2
        assert str(os.getpid()) not in workers
        place.kept().unlink()
        assert place.run("here") == there

        # The same workers then see what has changed since.
        place.weigh(5)
        with at(cluster) as pool:
            after = place.run("after", Work(pool))
        assert after["details"]["utility"] == pytest.approx(there["details"]["utility"] + 4)

    @pytest.mark.deep
    def test_a_cluster_whose_workers_are_all_killed_is_given_up_and_the_next_run_goes_on(
        self, tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert executors.DESERTED <= 60
        monkeypatch.setattr(executors, "DESERTED", 1)
        monkeypatch.setattr(executors, "LOOKED_EVERY", 0.2)
        place = Place(tmp_path, users=7, seconds=0.02)

        def kill(done: int, most: int) -> None:
            if done == 20:
                workers = [worker.pid for worker in cluster.workers.values()]
                cluster.scale(0)  # or it starts others in their place
                for pid in workers:
                    os.kill(pid, signal.SIGKILL)

        with (
            pytest.raises(InputError, match=r"dask://.*no worker for 1 seconds.*the run goes on"),
            at(cluster) as pool,
        ):
            place.run(work=Work(pool, progress=kill))
        done = len(place.kept().read_text().split("\n\n"))
        assert 20 <= done < 128
        before = len(place.calls())
        place.run()
        assert len(place.calls()) == before + 128 - done


def test_a_module_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "noisy_module.py").write_text("raise RuntimeError('imported')\n")
    sys.path.append(str(tmp_path))
    try:
        with pytest.raises(InputError, match="its module fails with RuntimeError: imported"):
            load_function("noisy_module:f")
    finally:
        sys.path.remove(str(tmp_path))


def test_more_users_than_can_be_called_for_are_refused_and_pointed_to_sampling(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, users=21)
    with pytest.raises(InputError, match=r"2\^21 coalitions.*add \[sampling\] with budget"):
        place.run()
    assert not place.calls()


@pytest.mark.deep
def test_a_sampled_run_asks_for_its_budget_once_and_is_resumed_too(tmp_path: Path) -> None:
    place = Place(tmp_path, users=21)
    place.file.write_text(place.file.read_text() + "[sampling]\nbudget = 300\n")
    first = place.run()
    assert len(place.calls()) == first["details"]["evaluations"] == 300
    assert all(share["standard_error"] > 0 for share in first["parties"].values())
    lines = place.kept().read_text().split("\n\n")
    place.kept().write_text("\n\n".join(lines[:-50]))
    assert place.run() == first
    assert len(place.calls()) == 350
    assert replay(place.path / "out", commands.settle, trust_code=True).differ == ()


def test_a_callable_is_audited_where_its_shares_are_sampled(tmp_path: Path) -> None:
    place = Place(tmp_path, users=21)
    place.file.write_text(place.file.read_text() + "[sampling]\nbudget = 200\n")
    audit = commands.audit_collaboration(ab.load(place.file, trust_code=True))
    assert len(place.calls()) == 200
    assert "not checked" in audit.remarks["other levels"]["text"]
