"""A party's own process: it speaks Flower's Fleet interface and answers on its own rows.

It registers its key (where the SuperLink lets machines do that themselves), says every now and then
that it is there, looks for messages several times a second, and answers them one by one. It asks
for no app bundle and runs no code that arrives: a message of a run whose app is not the installed
one is answered with a refusal. When the connection breaks it tries again until it is stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from aboveboard.errors import InputError
from aboveboard.learning.flower.app import compute_app_hash
from aboveboard.learning.flower.guard import GuardedParty
from aboveboard.learning.flower.messages import make_content, read_message
from aboveboard.learning.flower.requirement import POLL
from aboveboard.learning.training.engine import BatchAnswers, EndTraining, Failure
from aboveboard.learning.training.estimators import format_error

if TYPE_CHECKING:
    import httpx
    from flwr.app import Message
    from flwr.proto.fleet_pb2 import ActivateNodeRequest, ActivateNodeResponse
    from flwr.proto.message_pb2 import Message as ProtoMessage
    from flwr.proto.message_pb2 import ObjectTree
    from flwr.proto.node_pb2 import Node
    from flwr.supernode.fleet_http_client import FleetHttpClient

LONGEST_WAIT = 20.0
"""Seconds between two attempts to connect again."""


@dataclass
class PartyClient:
    """Answers the messages of a SuperLink until the training is over, or for good.

    Parameters
    ----------
    superlink
        Its address, "host:port".
    key
        The private key of this machine.
    party
        Answers requests.
    certificates
        PEM text of the authority behind the SuperLink's certificate; None: not encrypted.
    tell
        Takes what happens, in words.
    once
        Whether to leave when a training is over.
    poll
        Seconds between two looks for messages.
    """

    superlink: str
    key: ec.EllipticCurvePrivateKey
    party: GuardedParty
    certificates: bytes | None = None
    tell: Callable[[str], None] = lambda text: None
    once: bool = False
    poll: float = POLL
    _refused: set[int] = field(default_factory=set, init=False)
    _trusted: set[int] = field(default_factory=set, init=False)

    def serve(self) -> None:
        """Answer messages; returns when a training is over, with `once`.

        Raises
        ------
        InputError
            If the SuperLink refuses this machine.
        """
        import httpx

        wait = 1.0
        while True:
            try:
                with self._connect() as (client, node):
                    self.tell(f"connected to {self.superlink} as node {node.node_id}")
                    wait = 1.0
                    if self._answer_until_over(client, node):
                        return
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500:
                    raise self._explain(error) from None
                problem = f"{error.response.status_code}"
            except httpx.TransportError as error:
                problem = format_error(error) or type(error).__name__
            self.tell(f"no connection to {self.superlink} ({problem}); trying again")
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _explain(self, error: httpx.HTTPStatusError) -> InputError:
        status = error.response.status_code
        return InputError(
            "--superlink",
            f"the SuperLink at {self.superlink} refuses this machine ({status}: "
            f"{error.response.text[:200]})",
            "ask the center whether this key is in its file, and look at this machine's clock",
        )

    @contextmanager
    def _connect(self) -> Iterator[tuple[FleetHttpClient, Node]]:
        import httpx
        from flwr.common.constant import HEARTBEAT_DEFAULT_INTERVAL
        from flwr.proto.fleet_pb2 import (
            ActivateNodeRequest,
            DeactivateNodeRequest,
            RegisterNodeFleetRequest,
        )
        from flwr.proto.node_pb2 import Node
        from flwr.supercore.heartbeat import HeartbeatSender
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
        from flwr.supercore.primitives.asymmetric import public_key_to_bytes
        from flwr.supernode.fleet_http_client import FleetHttpClient
        from flwr.supernode.node_auth_http_interceptor import NodeAuthHttpInterceptor

        public = self.key.public_key()
        with FleetHttpClient.from_server_address(
            self.superlink,
            self.certificates is None,
            self.certificates,
            [
                RuntimeVersionHttpInterceptor(component_name="SuperNode"),
                NodeAuthHttpInterceptor(self.key, public),
            ],
        ) as client:
            own = public_key_to_bytes(public)
            # Refused where the center registers keys, or where it has this one already.
            with suppress(httpx.HTTPStatusError):
                client.RegisterNode(RegisterNodeFleetRequest(public_key=own))
            response = self._activate(
                client,
                ActivateNodeRequest(public_key=own, heartbeat_interval=HEARTBEAT_DEFAULT_INTERVAL),
            )
            node = Node(node_id=response.node_id)
            beats = HeartbeatSender(_make_heartbeat(client, node))
            beats.start()
            try:
                yield client, node
            finally:
                if beats.is_running:
                    beats.stop()
                with suppress(httpx.HTTPError):
                    client.DeactivateNode(DeactivateNodeRequest(node_id=node.node_id))

    def _activate(
        self, client: FleetHttpClient, request: ActivateNodeRequest
    ) -> ActivateNodeResponse:
        """Activate this machine's node; a center that has not registered it yet is waited for."""
        import httpx

        told = False
        while True:
            try:
                return client.ActivateNode(request)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.UNAUTHORIZED:
                    raise
                if not told:
                    self.tell("waiting for the center to register this machine's key")
                    told = True
                time.sleep(5 * self.poll)

    def _answer_until_over(self, client: FleetHttpClient, node: Node) -> bool:
        """Answer messages; return True when a training is over and nothing more is to be done."""
        from flwr.proto.fleet_pb2 import PullMessagesRequest

        while True:
            response = client.PullMessages(PullMessagesRequest(node=node))
            if not response.messages_list:
                time.sleep(self.poll)
                continue
            message, tree = response.messages_list[0], response.message_object_trees[0]
            if self._answer_message(client, node, message, tree) and self.once:
                return True

    def _answer_message(
        self, client: FleetHttpClient, node: Node, proto: ProtoMessage, tree: ObjectTree
    ) -> bool:
        """Answer one message; return whether it says that the training is over."""
        import httpx
        from flwr.app import Error, Message
        from flwr.common.constant import ErrorCode
        from flwr.common.serde import message_from_proto

        run = proto.metadata.run_id
        try:
            message = message_from_proto(proto)
        except ValueError as error:
            self.tell(f"run {run}: a message is left unanswered ({format_error(error)})")
            return False
        try:
            if not self._runs_our_app(client, node, run):
                refusal = Error(ErrorCode.INVALID_FAB, "this party runs its own code only")
                self._send(client, node, Message(refusal, reply_to=message))
                return False
            over, answer = False, None
            try:
                message = self._pull_content(client, node, run, tree)
                over, answer = self._work_out(message)
            except InputError as error:
                answer = Failure(error.place, error.problem, error.remedy)
            self._send(client, node, Message(make_content(answer), reply_to=message))
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.UNAUTHORIZED:
                raise
            self.tell(f"run {run} is over: a message of it is left unanswered")
            return False
        if over:
            self.tell(f"run {run} is over")
        return over

    def _work_out(self, message: Message) -> tuple[bool, object]:
        request = read_message(message)
        if isinstance(request, EndTraining):
            return True, BatchAnswers(())
        return False, self.party.respond(request)

    def _runs_our_app(self, client: FleetHttpClient, node: Node, run: int) -> bool:
        from flwr.proto.run_pb2 import GetRunRequest

        if run in self._trusted:
            return True
        found = client.GetRun(GetRunRequest(node=node, run_id=run)).run.fab_hash
        if found == compute_app_hash():
            self._trusted.add(run)
            return True
        if run not in self._refused:
            self._refused.add(run)
            self.tell(f"refused run {run}: its app {found[:16]}.. is not the installed one")
        return False

    def _pull_content(
        self, client: FleetHttpClient, node: Node, run: int, tree: ObjectTree
    ) -> Message:
        import httpx
        from flwr.app import Message
        from flwr.proto.message_pb2 import ConfirmMessageReceivedRequest
        from flwr.supercore.inflatable.inflatable_object import iterate_object_tree
        from flwr.supercore.inflatable.inflatable_protobuf_utils import make_pull_object_fn_protobuf
        from flwr.supercore.inflatable.inflatable_utils import (
            inflate_object_from_contents,
            pull_objects,
        )

        try:
            contents = pull_objects(
                [each.object_id for each in iterate_object_tree(tree)],
                pull_object_fn=make_pull_object_fn_protobuf(client.PullObject, node, run),
            )
            client.ConfirmMessageReceived(
                ConfirmMessageReceivedRequest(
                    node=node, run_id=run, message_object_id=tree.object_id
                )
            )
            message = inflate_object_from_contents(tree.object_id, contents)
        except httpx.HTTPError:
            raise
        except Exception as error:  # whatever Flower makes of a stranger's bytes
            problem = f"its content cannot be read ({format_error(error)})"
            raise InputError("message", problem, "send it anew") from None
        if not isinstance(message, Message):
            raise InputError("message", "its content is not a message", "send it anew")
        message.metadata.__dict__["_message_id"] = tree.object_id
        return message

    def _send(self, client: FleetHttpClient, node: Node, message: Message) -> None:
        from flwr.app.message import remove_content_from_message
        from flwr.common.serde import message_to_proto
        from flwr.proto.fleet_pb2 import PushMessagesRequest
        from flwr.supercore.inflatable.inflatable_object import (
            get_all_nested_objects,
            get_object_tree,
            no_object_id_recompute,
        )
        from flwr.supercore.inflatable.inflatable_protobuf_utils import make_push_object_fn_protobuf
        from flwr.supercore.inflatable.inflatable_utils import push_objects

        with no_object_id_recompute():
            message.metadata.__dict__["_message_id"] = message.object_id
            bare = remove_content_from_message(message) if message.has_content() else message
            response = client.PushMessages(
                PushMessagesRequest(
                    node=node,
                    messages_list=[message_to_proto(bare)],
                    message_object_trees=[get_object_tree(message)],
                    clientapp_runtime_list=[0.0],
                )
            )
            push_objects(
                get_all_nested_objects(message),
                push_object_fn=make_push_object_fn_protobuf(
                    client.PushObject, node, message.metadata.run_id, response.session_id
                ),
                object_ids_to_push=set(response.objects_to_push),
            )


def read_certificates(path: Path) -> bytes:
    """Return the PEM text of certificates.

    Raises
    ------
    InputError
        If the file cannot be read or holds none.
    """
    place = f"--certificates: {path}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(place, f"it cannot be read ({error.strerror})", "name another") from None
    if b"BEGIN CERTIFICATE" not in content:
        raise InputError(place, "it holds no certificate", "name a PEM file")
    return content


def _make_heartbeat(client: FleetHttpClient, node: Node) -> Callable[[], bool]:
    from flwr.common.constant import HEARTBEAT_DEFAULT_INTERVAL
    from flwr.proto.heartbeat_pb2 import SendNodeHeartbeatRequest

    request = SendNodeHeartbeatRequest(node=node, heartbeat_interval=HEARTBEAT_DEFAULT_INTERVAL)

    def beat() -> bool:
        try:
            return bool(client.SendNodeHeartbeat(request).success)
        except Exception:  # tried again; the loop for messages finds a broken connection
            return False

    return beat
