"""A round in which models are trained: from members' tables to what each verifies of its model."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zipfile import ZipFile

import numpy as np
import pytest
from trained_rounds import MEMBERS, TrainedRound, draw_table, hold_trained_round

from aboveboard.commands import rounds
from aboveboard.errors import InputError
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.verifiers import model_measurement, trained
from aboveboard.evidence.verifiers.model_measurement import measure_request
from aboveboard.evidence.verifiers.trained import UNSCORED, measure_apart, verify_own_model

pytest.importorskip("skops", reason="training is an extra")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> TrainedRound:
    return hold_trained_round(tmp_path_factory.mktemp("trained"))


@pytest.fixture(autouse=True)
def without_a_child(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure models in this process, which has loaded its libraries; the child is tested below."""
    if "child" not in request.node.name:
        monkeypatch.setattr(trained, "ask_child", lambda _, given, **__: measure_request(given))


def read_facts(held: TrainedRound) -> dict[str, Any]:
    content = (held.result("anna") / "bundle.json").read_bytes()
    facts: dict[str, Any] = json.loads(decode_bundle(content, "").entries[-1])["body"]["facts"]
    return facts


@pytest.mark.deep
def test_a_member_scores_its_own_model_on_the_opened_test_rows(held: TrainedRound) -> None:
    quality = read_facts(held)["qualities"]["anna"]
    for name in MEMBERS:
        found = held.verify(name)
        assert found.exit_status == 0, str(found)
        assert (
            f"your model has the quality {quality:.6g} on the opened test rows, as stated"
            in found.verified
        )


@pytest.mark.deep
def test_the_quality_is_that_of_a_plain_computation(held: TrainedRound) -> None:
    """Half of the Brier score's gain over the best constant, from the rows and the model alone."""
    import skops.io

    rows = np.loadtxt(held.tmp / "center" / "test.csv", delimiter=",", skiprows=1)
    model = skops.io.load(held.result("anna") / "reply.skops", trusted=[])
    chance, sick = model.predict_proba(rows[:, :3])[:, 1], rows[:, 3]
    skill = 1 - ((chance - sick) ** 2).mean() / ((sick.mean() - sick) ** 2).mean()
    assert skill == pytest.approx(read_facts(held)["qualities"]["anna"], rel=1e-6)


def set_quality(name: str, quality: float) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["facts"]["qualities"].update({name: quality})


@pytest.mark.deep
def test_a_child_measures_the_same(held: TrainedRound) -> None:
    assert any("as stated" in each for each in held.verify("anna").verified)


@pytest.mark.deep
def test_a_quality_that_is_stated_too_low_is_found(held: TrainedRound, tmp_path: Path) -> None:
    found = held.state("anna", set_quality("anna", 0.2), tmp_path)
    assert "and 0.2 is stated" in str(found)
    assert found.exit_status == 1


@pytest.mark.deep
def test_a_quality_that_is_stated_too_high_is_never_verified(
    held: TrainedRound, tmp_path: Path
) -> None:
    found = held.state("anna", set_quality("anna", 0.9), tmp_path)
    assert not any("as stated" in each for each in found.verified)
    assert any("better than the one handed out" in each for each in found.on_the_centers_word)
    assert "pays another amount" in str(found)  # and the payment does not follow


@pytest.mark.deep
def test_another_payment_is_found(held: TrainedRound, tmp_path: Path) -> None:
    found = held.state("anna", lambda body: body["shares"]["anna"].update(payment=9.0), tmp_path)
    assert "by the published qualities anna pays another amount" in str(found)


@pytest.mark.parametrize("name", ["test.csv", "validation.csv"])
@pytest.mark.deep
def test_other_test_rows_are_found(name: str, held: TrainedRound, tmp_path: Path) -> None:
    def exchange(body: dict[str, Any]) -> None:
        body["facts"]["files"][name]["content"] = "YSxiCjEsMgo="

    found = held.state("anna", exchange, tmp_path)
    assert f"{name} of the center is not the file of the terms" in str(found)


@pytest.mark.deep
def test_a_model_of_other_classes_is_not_loaded(held: TrainedRound, tmp_path: Path) -> None:
    """A reply that would import code of the center's choice stays a file."""
    import skops.io

    found = give_model(held, skops.io.dumps(Foreign()), tmp_path)
    assert any("cannot be measured here" in each for each in found.on_the_centers_word), str(found)
    assert not any("as stated" in each for each in found.verified)


def give_model(held: TrainedRound, model: bytes, folder: Path) -> Findings:
    """Let the center hand out another file as the model, named in the result."""
    digest = hashlib.sha256(model).hexdigest()

    def exchange(body: dict[str, Any]) -> None:
        body["replies"]["anna"] = hide_reply("anna", digest, held.part("anna").key)

    held.state("anna", exchange, folder)
    bundle = decode_bundle((folder / "bundle.json").read_bytes(), "bundle")
    named = {**bundle.reply, "sha256": digest}
    (folder / "bundle.json").write_bytes(replace(bundle, reply=named).encode())
    (folder / "reply.skops").write_bytes(model)
    return rounds.verify(folder, held.mine("anna"), held.member("anna"))


def zip_text(name: str, text: str) -> bytes:
    """Return an archive of one file."""
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr(name, text)
    return content.getvalue()


class Foreign:
    """What no member has."""

    value = 1


@pytest.mark.deep
def test_trained_or_not_is_what_the_terms_say(held: TrainedRound, tmp_path: Path) -> None:
    found = held.state("anna", lambda body: body["facts"].update(trained=False), tmp_path)
    assert "whether models were trained is not what the terms say" in str(found)


@pytest.mark.deep
def test_rows_that_are_halved_by_the_seed_are_halved_alike(tmp_path: Path) -> None:
    held = hold_trained_round(tmp_path, training={"validation": None})
    # Nobody chooses the seed: by some halves a member's own model is better, and it keeps that.
    verified = [each for name in MEMBERS for each in held.verify(name).verified]
    assert any("on the opened test rows, as stated" in each for each in verified), verified


@pytest.mark.deep
def test_the_auditor_trains_again(held: TrainedRound, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    opened.mkdir()
    for name in MEMBERS:
        rounds.open_part(held.member(name), opened / f"{name}.bin")
    files = rounds.locate_center(held.folder) / "files.json"
    (opened / "files.json").write_bytes(files.read_bytes())
    found = rounds.audit_round(held.folder, opened)
    assert found.exit_status == 0, str(found)
    assert "all replies are what the rule gives, byte for byte" in found.verified


def test_a_models_quality_is_measured_from_two_files(tmp_path: Path) -> None:
    import skops.io
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    tables = {f"{name}.csv": draw_table(200, rng).encode() for name in ("test", "validation")}
    rows = np.loadtxt(tables["test.csv"].decode().splitlines(), delimiter=",", skiprows=1)
    model = LogisticRegression().fit(rows[:, :3], rows[:, 3])
    path = tmp_path / "model.skops"
    skops.io.dump(model, path)
    training = {
        "estimator": "sklearn.linear_model.LogisticRegression",
        "test": "test.csv",
        "validation": "validation.csv",
        "label": "sick",
    }
    chance, sick = model.predict_proba(rows[:, :3])[:, 1], rows[:, 3]
    skill = 1 - ((chance - sick) ** 2).mean() / ((sick.mean() - sick) ** 2).mean()
    assert measure_apart(path, training, tables, 1) == pytest.approx(skill)
    with pytest.raises(InputError, match="there is no such file"):
        measure_apart(path, training, {}, 1)


@pytest.mark.deep
def test_in_a_child_a_model_that_takes_all_memory_costs_its_quality_alone(tmp_path: Path) -> None:
    import skops.io
    from sklearn.linear_model import LinearRegression

    honest = skops.io.dumps(LinearRegression().fit([[0.0], [1.0]], [0, 1]))
    large = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (1, 2**30)}  # 8 GiB of nothing
    np.lib.format.write_array_header_1_0(large, header)
    path = tmp_path / "model.skops"
    with ZipFile(io.BytesIO(honest)) as held_in, ZipFile(path, "w") as bomb:
        for name in held_in.namelist():
            bomb.writestr(name, large.getvalue() if name.endswith("npy") else held_in.read(name))
    with pytest.raises(InputError, match="memory"):
        measure_apart(path, {"test": "t.csv", "label": "y"}, {"t.csv": b"x,y\n1,2\n"}, 1)


def test_a_child_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"took more than 0\.01 seconds"):
        measure_apart(tmp_path / "model.skops", {}, {}, 1, patience=0.01)


def test_a_child_that_ends_without_an_answer_costs_the_quality_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", os.devnull)
    with pytest.raises(InputError, match="or ended the process"):
        measure_apart(tmp_path / "model.skops", {}, {}, 1)


@pytest.mark.deep
def test_an_archive_that_holds_no_schema_to_read_is_not_said_to_have_a_quality(
    held: TrainedRound, tmp_path: Path
) -> None:
    found = give_model(held, zip_text("schema.json", "[" * 10**5), tmp_path)
    assert any("cannot be measured here" in each for each in found.on_the_centers_word)
    assert not any("as stated" in each for each in found.verified)


@pytest.mark.deep
@pytest.mark.parametrize(
    "model", [b"no archive", zip_text("other.json", "{}")], ids=["text", "zip"]
)
def test_a_reply_that_is_no_archive_of_a_model_is_no_model(
    model: bytes, held: TrainedRound, tmp_path: Path
) -> None:
    found = give_model(held, model, tmp_path)
    assert "is called a model, and is not one" in str(found.contradicted)
    assert not any("as stated" in each for each in found.verified)


def make_case(reply: Path, opened: str = "center") -> Case:
    """Return of a case what is read where a model cannot be measured."""
    terms = SimpleNamespace(opened=opened)
    given: Any = SimpleNamespace(
        reply=reply,
        round=SimpleNamespace(terms=terms),
        facts={},
        parameters={"training": {}},
        seed=1,
        proof="f00d",
    )
    return cast("Case", given)


@pytest.mark.parametrize("opened", ["center", "nothing"])
@pytest.mark.parametrize(
    "model", [b"text", b"PK\x05\x06", zip_text("other.json", "{}")], ids=["text", "start", "zip"]
)
def test_what_has_no_schema_is_called_no_model(model: bytes, opened: str, tmp_path: Path) -> None:
    """Whatever the terms open: to see that it is no model nobody needs the test rows."""
    path = tmp_path / "reply.skops"
    path.write_bytes(model)
    findings = Findings()
    verify_own_model(make_case(path, opened), findings)
    assert [each.what for each in findings.contradicted] == [
        "your reply is called a model, and is not one"
    ]
    assert not findings.on_the_centers_word


def test_what_a_models_libraries_raise_is_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        sys.stdout.write("a library may print what it likes")
        raise ImportError("cannot import name 'lie' from 'sklearn'")

    given = {"model": "m.skops", "training": {}, "folder": str(tmp_path), "seed": 1}
    monkeypatch.setattr("skops.io.get_untrusted_types", fail)
    monkeypatch.setattr(model_measurement, "limit_child", lambda: None)  # not this process
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(given)))
    model_measurement.main()
    assert json.loads(capsys.readouterr().out) == {
        "problem": "cannot import name 'lie' from 'sklearn'"
    }


def test_a_model_that_cannot_be_measured_is_not_said_to_lack_skops(tmp_path: Path) -> None:
    path = tmp_path / "reply.skops"
    path.write_bytes(zip_text("schema.json", "{}"))
    findings = Findings()
    verify_own_model(make_case(path), findings)
    assert not findings.missing
    (said,) = findings.on_the_centers_word
    assert said.startswith(f"{UNSCORED}: it cannot be measured here (")


def test_without_skops_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reply.skops"
    path.write_bytes(zip_text("schema.json", "{}"))
    monkeypatch.setitem(sys.modules, "skops", None)
    findings = Findings()
    verify_own_model(make_case(path), findings)
    assert findings.missing == ["skops and scikit-learn, to measure your model: install them"]
