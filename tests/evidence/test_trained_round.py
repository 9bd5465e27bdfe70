"""A round in which models are trained: from members' tables to what each verifies of its model."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zipfile import ZipFile

import pytest
from trained_rounds import MEMBERS, TrainedRound, draw_table, hold_trained_round

from aboveboard.commands import rounds
from aboveboard.evidence.bundles import decode_bundle
from aboveboard.evidence.cases import Case
from aboveboard.evidence.findings import Findings
from aboveboard.evidence.hidden_shares import hide_reply
from aboveboard.evidence.verifiers.trained import UNSCORED, measure_model, verify_own_model

pytest.importorskip("skops", reason="training is an extra")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> TrainedRound:
    return hold_trained_round(tmp_path_factory.mktemp("trained"))


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
    import numpy as np
    import skops.io

    rows = np.loadtxt(held.tmp / "center" / "test.csv", delimiter=",", skiprows=1)
    model = skops.io.load(held.result("anna") / "reply.skops", trusted=[])
    chance, sick = model.predict_proba(rows[:, :3])[:, 1], rows[:, 3]
    skill = 1 - ((chance - sick) ** 2).mean() / ((sick.mean() - sick) ** 2).mean()
    assert skill == pytest.approx(read_facts(held)["qualities"]["anna"], rel=1e-6)


def set_quality(name: str, quality: float) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["facts"]["qualities"].update({name: quality})


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
    found = held.verify("bert")
    assert any("on the opened test rows, as stated" in each for each in found.verified), str(found)


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
    import numpy as np
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
    assert measure_model(path, training, tables, 1) == pytest.approx(skill)
    with pytest.raises(KeyError):
        measure_model(path, training, {}, 1)


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
    assert "is called a model, and is none" in str(found.contradicted)
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
        "your reply is called a model, and is none"
    ]
    assert not findings.on_the_centers_word


def test_a_model_that_fails_to_import_is_not_said_to_lack_skops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reply.skops"
    path.write_bytes(zip_text("schema.json", "{}"))

    def fail(**_: object) -> None:
        raise ImportError("cannot import name 'lie' from 'sklearn'")

    monkeypatch.setattr("skops.io.get_untrusted_types", fail)
    findings = Findings()
    verify_own_model(make_case(path), findings)
    assert not findings.missing
    assert findings.on_the_centers_word == [
        f"{UNSCORED}: it cannot be measured here (cannot import name 'lie' from 'sklearn')"
    ]


def test_without_skops_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reply.skops"
    path.write_bytes(zip_text("schema.json", "{}"))
    monkeypatch.setitem(sys.modules, "skops.io", None)
    findings = Findings()
    verify_own_model(make_case(path), findings)
    assert findings.missing == ["skops and scikit-learn, to measure your model: install them"]
