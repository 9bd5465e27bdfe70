"""What a newcomer meets: the face, the import, the demonstration, the examples, the docs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from typer.testing import CliRunner

import aboveboard as ab
from aboveboard.cli import app
from aboveboard.commands import audit_collaboration, demo, settle
from aboveboard.commands.demo_lists import LISTS, read_lists

ROOT = Path(__file__).parents[1]
# Those whose data a longer script writes are run by tests of their own system.
ELSEWHERE = ("learning/airlines", "learning/hospital", "valuation/schools", "market")
EXAMPLES = [
    path
    for path in sorted(ROOT.glob("examples/**/*.toml"))
    if path.parent.relative_to(ROOT / "examples").as_posix() not in ELSEWHERE
]


def _has_lists() -> bool:
    try:
        return all(distribution(package) for _, package, _, _ in LISTS)
    except PackageNotFoundError:
        return False


needs_lists = pytest.mark.skipif(not _has_lists(), reason="the extra 'demo' is not installed")


def test_the_public_face_is_exactly_what_is_exported() -> None:
    assert set(ab.__all__) - {"__version__"} == set(ab._FACE)
    for name in ab.__all__:
        assert getattr(ab, name) is not None
        assert name in dir(ab)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = ab.nothing_of_the_kind


@needs_lists
@pytest.mark.deep
def test_the_demonstration_shows_truth_against_the_best_lie(tmp_path: Path) -> None:
    result = demo(tmp_path / "demo")
    assert set(result.settlement.parties) == {party for party, *_ in LISTS}
    assert all(share.benefit > 0 for share in result.settlement.parties.values())
    assert all(lie.lie <= lie.truth for lie in result.audit.lies)
    assert result.audit.verdicts["ex-post IC"].status == "holds"
    assert result.audit.verdicts["DSIC"].status == "fails"
    page = result.report.read_text(encoding="utf-8")
    assert "blocklist" in page
    again = demo(tmp_path / "demo")
    assert again.report.read_text(encoding="utf-8") == page


@pytest.mark.deep
@needs_lists
def test_the_round_of_the_demonstration_is_verified_by_all_beside_the_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("aboveboard-demo").mkdir()  # as `aboveboard demo` leaves it
    called = ["demo", "--between-organisations", "--format", "json"]
    shown = CliRunner().invoke(app, called, catch_exceptions=False)
    assert shown.exit_code == 0
    told = json.loads(shown.stdout)
    assert (told["state"], set(told["members"])) == ("settled", {party for party, *_ in LISTS})
    for found in told["members"].values():
        assert found["contradicted"] == []
        assert (
            "your reply is the first elements of the committed order that you lack"
            in (found["verified"])
        )


@pytest.mark.deep
@needs_lists
def test_the_lists_are_read_whole_out_of_the_installed_files() -> None:
    import disposable_email_domains
    import disposable_emails
    from MailChecker import MailChecker

    lists = read_lists()
    assert set(lists["blocklist"]) == {d.strip() for d in disposable_email_domains.blocklist}
    assert set(lists["mailchecker"]) == {d.strip() for d in MailChecker.blacklist}
    assert set(lists["emails"]) == {d.strip() for d in disposable_emails.blacklist} - {""}


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import aboveboard.commands.demo_lists as module

    missing = ("p", "no-such-package-anywhere", "x.txt", str.splitlines)
    monkeypatch.setattr(module, "LISTS", (missing,))
    with pytest.raises(ab.InputError, match=r"no-such-package-anywhere.*pip install"):
        module.read_lists()


@pytest.mark.deep
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_example_runs_and_audits(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "example"
    shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    script = folder / "lists.py"
    if script.exists():
        if not _has_lists():
            pytest.skip("the extra 'demo' is not installed")
        subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
    collaboration = ab.load(folder / path.name, trust_code=True)
    settlement, _ = settle(collaboration, tmp_path / "out")
    assert settlement.parties
    result = audit_collaboration(collaboration, [ab.ExPostIC()])
    # valuation pays for levels that users choose freely: it does not promise that these are best.
    promised = not collaboration.mechanism.NAME.startswith("valuation.")
    assert result.verdicts["ex-post IC"].status == ("holds" if promised else "fails")


class _Page(HTMLParser):
    """Collects what a self-contained page must not have, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and value and not value.startswith("#"):
                self.outside.append(f"{tag} {name}={value}")


def test_the_report_is_one_file_with_a_described_chart(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'name = "<b>bold</b> & co"\nmechanism = "exchange.union"\n'
        '[parties.a]\nelements = ["x", "y"]\n[parties.b]\nelements = ["z"]\n'
    )
    settle(ab.load(path), tmp_path / "out")
    text = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.outside == []
    assert {"svg", "title", "desc", "table"} <= page.tags
    assert not {"script", "link", "iframe"} & page.tags
    assert "<b>bold</b>" not in text
    assert "Nobody is better off hiding data or staying away" in text


def test_the_report_says_who_gains_by_lying(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'mechanism = "exchange.union"\nrule = "best-group"\nexclusivity = "1/2"\n'
        '[parties.a]\nelements = ["0", "1", "2"]\n[parties.b]\nelements = ["1", "2"]\n'
        '[parties.c]\nelements = ["2"]\n'
    )
    text = audit_collaboration(ab.load(path)).report()
    assert "Yes. b gains 0.5 (elements) by another report than the truth (hides" in text


def test_the_readme_names_every_mechanism_and_command() -> None:
    from aboveboard.cli import app
    from aboveboard.collaborations.registry import load_mechanisms

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in load_mechanisms():
        assert f"`{name}`" in readme
    commands = [each.name or each.callback.__name__ for each in app.registered_commands]
    for name in [*commands, *(each.name for each in app.registered_groups)]:
        assert re.search(rf"aboveboard {name.replace('_', '-')}(?![\w-])", readme), name


def test_no_file_names_a_registry_or_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    hosts = re.compile("|".join(["py" + r"pi\.org", "python" + "hosted", "reg" + r"istry\.npm"]))
    for name in listed:
        if not name.endswith((".png", ".parquet")):
            text = (ROOT / name).read_text(encoding="utf-8")
            assert not hosts.search(text), name


def test_the_demonstration_leaves_a_stranger_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(ab.InputError, match="is not a demonstration's folder"):
        demo(tmp_path)
    assert (tmp_path / "report.html").read_text() == "mine"
