"""Test profiles, tests/ on the path, groups for xdist, one browser.

`pytest` runs the quick profile: every module, in two minutes. `pytest --profile=ci` adds what is
marked `deep` (exhaustive sweeps, many hypothesis examples, every claim of the papers), and
`pytest --profile=full` also what is marked `slow` (minutes each), with new examples of hypothesis
at each run; the other two draw the same ones each time.
"""

import os
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from collecting import keep_to_the_end
from depth import EXAMPLES

LEFT_OUT = {"quick": {"deep", "slow"}, "ci": {"slow"}, "full": set()}
"""Markers that a profile leaves out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--profile", choices=tuple(EXAMPLES), default="quick", help="how deep the tests go"
    )


@contextmanager
def keep_bytecode() -> Iterator[None]:
    """Keep what is compiled, also where PYTHONDONTWRITEBYTECODE is set.

    Else each process compiles the package again, and pytest rewrites the asserts of all tests and
    of hypothesis.
    """
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = False
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def pytest_configure(config: pytest.Config) -> None:
    shares_out = getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput")
    if shares_out:
        return  # and runs no test itself
    with keep_bytecode():
        from hypothesis import HealthCheck, settings

    profile = config.getoption("--profile")
    # Profiles of hypothesis only fill in what a test's own settings leave open. A gate says the
    # same of the same code, so that only the full profile draws new examples at each run.
    settings.register_profile(
        profile,
        deadline=None,
        derandomize=profile != "full",
        max_examples=EXAMPLES[profile],
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile(profile)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the profile does not run; keep in one process what shares a fixture."""
    left_out = LEFT_OUT[config.getoption("--profile")]
    for item in items:
        if "all_results" in getattr(item, "fixturenames", ()):  # every claim takes a minute
            item.add_marker(pytest.mark.deep)
    if not config.getoption("-m"):
        kept: list[pytest.Item] = []
        deselected: list[pytest.Item] = []
        for item in items:
            marked = left_out & {mark.name for mark in item.iter_markers()}
            (deselected if marked else kept).append(item)
        config.hook.pytest_deselected(items=deselected)
        items[:] = kept
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        wanted = getattr(item, "fixturenames", ())
        if "all_results" in wanted:
            item.add_marker(pytest.mark.xdist_group("claims"))
        elif _shares_fixture(item):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    with keep_bytecode(), keep_to_the_end():
        return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a pytest with which xdist forgets groups: each process would make every fixture."""
    if not getattr(session.config.option, "loadgroup", False):
        return
    for item in session.items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} lost its group: use a pytest below 9.2")


def _shares_fixture(item: pytest.Item) -> bool:
    """Return whether a test uses a fixture that other tests of its module use too."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = info.name2fixturedefs.values() if info is not None else ()
    own = (d for each in definitions for d in each if d.func.__module__ not in ("conftest",))
    return any(d.scope in ("module", "class", "package") for d in own)


@pytest.fixture(scope="session")
def profile(request: pytest.FixtureRequest) -> str:
    """Name of the profile that runs: quick, ci or full."""
    return str(request.config.getoption("--profile"))


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the keys that runs make out of the home of whoever runs the tests."""
    before = os.environ.get("ABOVEBOARD_HOME")
    os.environ["ABOVEBOARD_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    if before is None:
        del os.environ["ABOVEBOARD_HOME"]
    else:
        os.environ["ABOVEBOARD_HOME"] = before


@pytest.fixture(scope="module")  # while it runs, no other event loop may
def browser() -> Iterator[Any]:
    """Start headless Chromium, Debian's or the one that ABOVEBOARD_CHROMIUM names."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = os.environ.get("ABOVEBOARD_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()
