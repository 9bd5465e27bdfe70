"""The center at a SuperLink: it names the app, takes the run's place, and finds the parties' nodes.

The center's own process is what Flower calls the ServerApp: it starts a run of our app (`app`),
acquires the task that this makes, and pushes messages as that task, with the code that is installed
here. The SuperLink must therefore be started with `--isolation process`: otherwise it hands the
task to a process of its own. Each party's public key is registered, as `flwr supernode register`
does, so that a SuperLink with `--enable-supernode-auth` lets these machines in and no others.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aboveboard.errors import InputError
from aboveboard.learning.flower.app import build_app, compute_app_hash
from aboveboard.learning.flower.grid_engine import FlowerEngine
from aboveboard.learning.flower.node_keys import encode_for_flower
from aboveboard.learning.flower.requirement import POLL, SECRET, SUPERLINK_SOCKET, require_flower
from aboveboard.learning.market.training_file import FlowerTable, TrainingTable
from aboveboard.learning.training.data_files import PartyData
from aboveboard.learning.training.engine import EndTraining
from aboveboard.learning.training.estimators import format_error

PLACE = "training.flower.superlink"

ACQUIRE = "/flwr.proto.Runtime/AcquireTask"

TASK_SECONDS = 20.0
"""Seconds within which the task of our own run must be there."""

ISOLATION = "start the SuperLink with --isolation process, and run one training at a time"


@contextmanager
def connect_parties(
    table: TrainingTable, reports: Mapping[str, PartyData]
) -> Iterator[FlowerEngine]:
    """Reach the parties through the SuperLink of the file, for as long as a training takes.

    Raises
    ------
    InputError
        If Flower is missing, the SuperLink cannot be reached or does not hand the run to us, or the
        file names another app than the installed one.
    """
    require_flower()
    assert table.flower is not None
    flower = table.flower
    _refuse_other_app(flower)
    certificates = next(iter(reports.values())).certificates
    link = _Link(flower.superlink, None if certificates is None else certificates.read_bytes())
    keys = {
        name: encode_for_flower(data.key or "", f"parties.{name}.key")
        for name, data in reports.items()
    }
    with link.run(keys) as grid:
        engine = FlowerEngine(grid, _find_nodes(grid, keys, flower.patience), flower.patience)
        try:
            yield engine
        finally:
            with suppress(Exception):  # the result is there, or an error that matters more
                engine.close(EndTraining())


def _refuse_other_app(flower: FlowerTable) -> None:
    own = compute_app_hash()
    if flower.app not in (None, own):
        raise InputError(
            "training.flower.app",
            f"the terms name another app than the code that is installed here ({own})",
            "install the version of aboveboard that the terms name",
        )


def _find_nodes(grid: Any, keys: Mapping[str, bytes], patience: float) -> dict[str, int]:
    """Return by party the number of its node, once all are there or patience ends."""
    names = {key: name for name, key in keys.items()}
    until = time.monotonic() + patience
    while True:
        found = {
            names[node.public_key]: node.node_id
            for node in grid.get_nodes()
            if node.public_key in names
        }
        if len(found) == len(keys) or time.monotonic() > until:
            return {name: found[name] for name in keys if name in found}
        time.sleep(POLL)


class _Link:
    """A SuperLink."""

    def __init__(self, address: str, certificates: bytes | None) -> None:
        self._address, self._certificates = address, certificates

    @contextmanager
    def run(self, keys: Mapping[str, bytes]) -> Iterator[Any]:
        """Register the keys and start a run of our app; yield its grid, and finish the run."""
        from flwr.common.constant import SubStatus
        from flwr.proto.runtime_pb2 import PushTaskOutputRequest
        from flwr.supercore.heartbeat import HeartbeatSender

        run_id = self._start_run(keys)
        grid = self._open_grid(self._acquire_task(run_id))
        beats = HeartbeatSender(_make_heartbeat(grid))
        beats.start()
        status = SubStatus.FAILED
        try:
            yield grid
            status = SubStatus.COMPLETED
        finally:
            with suppress(Exception):  # nothing hangs on it
                beats.stop()
                grid._runtime_client.PushTaskOutput(PushTaskOutputRequest(sub_status=status))
            grid.close()

    def _start_run(self, keys: Mapping[str, bytes]) -> int:
        import httpx
        from flwr.proto.control_pb2 import RegisterNodeRequest, StartRunRequest
        from flwr.proto.fab_pb2 import Fab
        from flwr.supercore.control import ControlHttpClient

        app = build_app()
        with self._open(ControlHttpClient, "aboveboard") as client:
            for key in keys.values():
                # Registered before, by an earlier run or by the machine itself.
                with suppress(httpx.HTTPStatusError), self._explaining():
                    client.RegisterNode(RegisterNodeRequest(public_key=key))
            with self._explaining():
                request = StartRunRequest(fab=Fab(hash_str=compute_app_hash(), content=app))
                return int(client.StartRun(request).run_id)

    def _acquire_task(self, run_id: int) -> str:
        from flwr.proto.runtime_pb2 import AcquireTaskRequest
        from flwr.supercore.constant import TaskType
        from flwr.supercore.interceptors import SuperExecAuthHttpInterceptor
        from flwr.supercore.runtime import RuntimeHttpClient

        more = []
        if SECRET in os.environ:
            secret = _read_secret(Path(os.environ[SECRET]))
            more = [SuperExecAuthHttpInterceptor(master_secret=secret, protected_methods=[ACQUIRE])]
        until = time.monotonic() + TASK_SECONDS
        with self._open(RuntimeHttpClient, "SuperExec", *more) as client:
            while time.monotonic() < until:
                with self._explaining():
                    response = client.AcquireTask(
                        AcquireTaskRequest(supported_task_types=[TaskType.SERVER_APP])
                    )
                if response.HasField("task") and response.token:
                    if response.task.run_id == run_id:
                        return str(response.token)
                    break
                time.sleep(POLL)
        raise InputError(PLACE, f"{self._address} does not hand over the run's task", ISOLATION)

    def _open_grid(self, token: str) -> Any:
        from flwr.common.serde import run_from_proto
        from flwr.proto.runtime_pb2 import PullTaskInputRequest
        from flwr.supercore.task_identity import TaskIdentity
        from flwr.superlink.grid import HttpGrid

        grid = HttpGrid(self._address, self._certificates is None, self._certificates, token=token)
        self._reroute(grid._runtime_client)
        with self._explaining():
            given = grid._runtime_client.PullTaskInput(PullTaskInputRequest())
        grid.set_run(run_from_proto(given.run))
        # Flower's messages take their sender and their run from here.
        TaskIdentity.task_id = given.task_id
        TaskIdentity.run_id = given.run.run_id
        TaskIdentity.node_id = given.context.node_id
        return grid

    def _open(self, kind: Any, component: str, *interceptors: Any) -> Any:
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor

        client = kind.from_server_address(
            self._address,
            self._certificates is None,
            self._certificates,
            [RuntimeVersionHttpInterceptor(component_name=component), *interceptors],
        )
        self._reroute(client)
        return client

    def _reroute(self, client: Any) -> None:
        """Let a client of Flower's use the socket that leads to the SuperLink, where one is named.

        A hub settles where there is no network; its worker passes the bytes on. The certificate is
        checked against the SuperLink's address as ever.
        """
        if SUPERLINK_SOCKET not in os.environ:
            return
        import httpx

        verify: ssl.SSLContext | bool = True
        if self._certificates is not None:
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            verify.load_verify_locations(cadata=self._certificates.decode("ascii"))
        timeout = client._client.timeout
        client._client.close()
        client._client = httpx.Client(
            transport=httpx.HTTPTransport(verify=verify, uds=os.environ[SUPERLINK_SOCKET]),
            timeout=timeout,
            follow_redirects=True,
        )

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turn what the connection raises into an error that says what to do."""
        import httpx

        try:
            yield
        except httpx.TransportError as error:
            raise InputError(
                PLACE,
                f"the SuperLink at {self._address} cannot be reached ({format_error(error)})",
                "start flower-superlink, and look at address and certificates",
            ) from None
        except httpx.HTTPStatusError as error:
            if error.request.url.path.endswith("register-node"):
                raise
            raise InputError(
                PLACE,
                f"the SuperLink at {self._address} refuses ({error.response.status_code}: "
                f"{error.response.text[:200]})",
                "look at its log and at who may start runs there",
            ) from None


def _make_heartbeat(grid: Any) -> Any:
    from flwr.proto.runtime_pb2 import SendTaskHeartbeatRequest

    def beat() -> bool:
        try:
            return bool(grid._runtime_client.SendTaskHeartbeat(SendTaskHeartbeatRequest()).success)
        except Exception:  # tried again; the training itself finds a broken connection
            return False

    return beat


def _read_secret(path: Path) -> bytes:
    from flwr.supercore.auth import load_superexec_auth_secret

    try:
        return bytes(load_superexec_auth_secret(secret_file=str(path)))
    except (ValueError, OSError) as error:
        raise InputError(SECRET, format_error(error), "name the SuperLink's own file") from None
