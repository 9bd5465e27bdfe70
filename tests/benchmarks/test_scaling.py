"""The page on scaling says what was measured, where memory ends, and what to do beyond."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import scaling
from benchmarks.page import save
from benchmarks.scaling import GIB, MOST, SYSTEMS, Curve, Point


def make_curve(*points: tuple[int, float, int]) -> Curve:
    workload = SYSTEMS["exchange"]
    return Curve(workload, tuple(Point(size, t, t, peak) for size, t, peak in points))


def test_memory_that_grows_with_the_size_ends_where_its_line_reaches_24_gib():
    curve = make_curve((1, 1.0, GIB), (3, 3.0, 3 * GIB))
    assert curve.end == MOST / GIB
    assert curve.exponent == pytest.approx(1)


def test_memory_that_does_not_grow_has_no_end():
    assert make_curve((100, 1.0, GIB), (1000, 100.0, GIB + 1000)).end is None


def test_times_too_short_to_compare_have_no_exponent():
    assert make_curve((1, 0.001, GIB), (3, 3.0, GIB)).exponent is None


@pytest.mark.deep
def test_the_command_writes_a_row_and_a_picture_for_each_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def measure_quickly(workload: scaling.Workload, scale: str) -> Curve:
        return make_curve(*((size, float(size), size * 2**20) for size in workload.sizes["small"]))

    monkeypatch.setattr(scaling, "measure", measure_quickly)
    out = tmp_path / "scaling.md"
    assert command.main(["--scaling", "exchange", "market", "--out", str(out)]) == 0
    page = out.read_text()
    assert "--scaling exchange market" in page
    assert page.count("](scaling/") == 2
    assert (tmp_path / "scaling" / "exchange.svg").read_text().startswith("<?xml")


def test_a_page_that_was_changed_by_hand_keeps_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def measure_quickly(workload: scaling.Workload, scale: str) -> Curve:
        return make_curve(*((size, float(size), size * 2**20) for size in workload.sizes["small"]))

    monkeypatch.setattr(scaling, "measure", measure_quickly)
    out = tmp_path / "scaling.md"
    out.write_text("# By hand\n")
    (tmp_path / "scaling").mkdir()
    picture = tmp_path / "scaling" / "exchange.svg"
    picture.write_text("by hand")
    assert command.main(["--scaling", "exchange", "--out", str(out)]) == 0
    assert out.read_text() == "# By hand\n"
    assert picture.read_text() == "by hand"
    assert "](scaling.new/exchange.svg)" in (tmp_path / "scaling.new.md").read_text()
    assert (tmp_path / "scaling.new" / "exchange.svg").read_text().startswith("<?xml")


def test_a_page_that_was_changed_by_hand_is_not_replaced(tmp_path: Path):
    path = tmp_path / "page.md"
    assert save(path, "# One\n") == save(path, "# Two\n") == path
    assert path.read_text().startswith("# Two\n")
    by_hand = path.read_text().replace("# Two", "# Two, and what it means")
    path.write_text(by_hand)
    for text in ("# Three\n", "# Four\n"):
        assert save(path, text) == tmp_path / "page.new.md"
        assert path.read_text() == by_hand
    assert (tmp_path / "page.new.md").read_text().startswith("# Four\n")


def test_a_system_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command.main(["--scaling", "storage"])
    assert "no section is called storage" in capsys.readouterr().err


@pytest.mark.deep
@pytest.mark.parametrize("system", [name for name in SYSTEMS if name != "exchange"])
def test_every_workload_runs_at_its_smallest_size(system: str):
    point = scaling.measure_here(system, min(SYSTEMS[system].sizes["small"]))
    assert point.peak > 0


@pytest.mark.deep
def test_commands_on_three_lists_are_measured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scaling, "COMMANDS", {"check": ("check", "lists.toml")})
    (found,) = scaling.measure_commands(1)
    assert found.name == "check"
    assert 0 < found.cpu < 60
