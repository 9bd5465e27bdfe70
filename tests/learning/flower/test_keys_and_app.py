"""The key of a party's machine, the app that stands for the code, and a lack of Flower."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from typer.testing import CliRunner

import aboveboard
from aboveboard.cli import app as cli
from aboveboard.errors import InputError
from aboveboard.learning.flower import app as app_module
from aboveboard.learning.flower import (
    build_app,
    compute_app_hash,
    make_node_key,
    read_node_key,
    require_flower,
    requirement,
)
from aboveboard.learning.flower.app import _list_code
from aboveboard.learning.flower.node_keys import encode_for_flower
from aboveboard.learning.market.training_file import FlowerTable, TrainingTable


def test_a_new_key_is_read_again_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "node.pem"
    public = make_node_key(path)
    key = read_node_key(path)
    assert key.curve.name == "secp384r1"
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert encode_for_flower(public, "place") == pem
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="it exists already"):
        make_node_key(path)


def test_a_key_of_openssh_is_read(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    path = tmp_path / "id_ecdsa"
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_node_key(path).private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (b"no key", 0o600, "holds no ECDSA key"),
        (b"", 0o600, "holds no ECDSA key"),
        (b"no key", 0o644, "others can read it"),
        (None, 0, "cannot be read"),
        (
            ed25519.Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            0o600,
            "holds no ECDSA key",
        ),
    ],
    ids=range(5),
)
def test_what_is_no_key_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, problem: str
) -> None:
    path = tmp_path / "node.pem"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(InputError, match=problem):
        read_node_key(path)


@pytest.mark.parametrize("public", ["", "AAAA", "no base64!", "A" * 160])
def test_what_is_no_public_key_is_refused(public: str) -> None:
    with pytest.raises(InputError, match=r"parties\.a\.key: it is not a public key"):
        encode_for_flower(public, "parties.a.key")


def test_the_app_is_the_same_every_time_and_lists_the_code_that_trains() -> None:
    build_app.cache_clear()
    before = compute_app_hash()
    build_app.cache_clear()
    assert compute_app_hash() == before == hashlib.sha256(build_app()).hexdigest()
    with zipfile.ZipFile(io.BytesIO(build_app())) as app:
        listed = dict(
            reversed(line.split("  ")) for line in app.read("code.txt").decode().splitlines()
        )
    root = Path(aboveboard.__file__).parent
    for name in ("learning/training/party.py", "learning/flower/guard.py"):
        assert listed[name] == hashlib.sha256((root / name).read_bytes()).hexdigest()


def test_other_code_is_another_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = _list_code()
    for name in ("learning/training", "learning/flower", "learning/market"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "learning/training/party.py").write_text("changed")
    monkeypatch.setattr(app_module, "ROOT", tmp_path)
    assert _list_code() != own


def test_line_ends_of_another_system_are_the_same_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(app_module, "ROOT", tmp_path)
    (tmp_path / "learning/training").mkdir(parents=True)
    path = tmp_path / "learning/training/party.py"
    path.write_bytes(b"a\nb\n")
    here = _list_code()
    path.write_bytes(b"a\r\nb\r\n")
    assert _list_code() == here


def test_without_flower_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirement, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'aboveboard\[flower\]'"):
        require_flower()
    shown = CliRunner().invoke(cli, ["party", "--help"])
    assert shown.exit_code == 0
    assert "aboveboard[flower]" in " ".join(shown.output.split())


def test_another_series_of_flower_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirement, "find_spec", lambda name: object())
    monkeypatch.setattr(requirement, "version", lambda name: "1.43.0")
    with pytest.raises(
        InputError, match=r"version 1\.43\.0 of Flower is installed, and 1\.42 is needed"
    ):
        require_flower()


def table(**more: Any) -> TrainingTable:
    return TrainingTable(estimator="sklearn.svm.SVC", test="t.csv", **more)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"engine": "flower"}, "nothing says where"),
        ({"flower": {"superlink": "127.0.0.1:9092"}}, "write engine = flower"),
        (
            {"engine": "flower", "method": "pooled", "flower": {"superlink": "127.0.0.1:9092"}},
            "rows stay with the parties",
        ),
        ({"engine": "flower", "flower": {"superlink": "hub.example:9092"}}, "not be encrypted"),
        ({"engine": "flower", "flower": {"superlink": "no address"}}, "superlink"),
        ({"engine": "flower", "flower": {"superlink": "127.0.0.1:1", "app": "1"}}, "app"),
    ],
)
def test_a_table_that_does_not_say_how_parties_are_reached_is_refused(
    more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        table(**more)


def test_an_address_with_certificates_may_be_anywhere() -> None:
    named = FlowerTable(superlink="hub.example:9092", certificates=Path("ca.pem"))
    assert table(engine="flower", flower=named).flower == named


@pytest.mark.deep
@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_the_command_makes_a_key_and_names_the_app(tmp_path: Path) -> None:
    run = CliRunner().invoke
    made = run(cli, ["party", "--new-key", str(tmp_path / "k.pem")])
    assert encode_for_flower(made.output.strip(), "key").startswith(b"-----BEGIN PUBLIC KEY")
    assert run(cli, ["party", "--show-app"]).output.strip() == compute_app_hash()
