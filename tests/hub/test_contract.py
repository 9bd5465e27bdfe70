"""The API keeps to its OpenAPI, whatever a signed member sends; no answer is a defect."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from houses import HOST, Clock, House, Person
from hypothesis import HealthCheck, given, settings

from aboveboard.hub.configuration import Configuration
from aboveboard.hub.home import make_hub
from aboveboard.hub.signatures import Target, sign_request


class Signer:
    """An application that signs each request as one member before it passes it on."""

    def __init__(self, app: Any, person: Person) -> None:
        self._app, self._person = app, person

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        signed = sign_request(
            Target(scope["method"], HOST, raw, query),
            hashlib.sha256(content).hexdigest(),
            self._person.keys,
            int(self._person.clock()),
        )
        dropped = {b"host", *(name.lower().encode() for name in signed)}
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in dropped]
        headers += [(name.lower().encode(), value.encode()) for name, value in signed.items()]
        scope = {**scope, "headers": [*headers, (b"host", HOST.encode())]}

        async def replay() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        await self._app(scope, replay, send)


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    schemathesis = pytest.importorskip("schemathesis")  # a second, where few tests need it
    folder: Path = tmp_path_factory.mktemp("contract")
    limits = {"free_bytes": 0, "requests_per_minute": 10**6, "strangers_per_minute": 10**6}
    configuration = Configuration.model_validate({"address": f"http://{HOST}", "limits": limits})
    clock = Clock()
    hub = replace(make_hub(folder / "hub", configuration), clock=clock)
    house = House.build(hub, clock)
    house.open(folder).agree()
    app = Signer(house.app, house.people["acme"])
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    found = [each.ok() for each in schema.get_all_operations()]
    return {f"{each.method.upper()} {each.path}": each for each in found}


def check(operation: Any, examples: int) -> None:
    """Send many requests of one operation, and hold each answer to the schema."""
    from schemathesis import checks

    kept = [
        checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(checks=kept)

    send()


@pytest.mark.deep
def test_every_answer_is_as_the_schema_says(operations: dict[str, Any]) -> None:
    assert len(operations) >= 11
    for operation in operations.values():
        check(operation, 60)
