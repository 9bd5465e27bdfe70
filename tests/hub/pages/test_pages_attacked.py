"""Who may see which page: each one, opened by everybody who should not see it; forged forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from houses import HOST, LISTS, House, Person, Table
from readers import (
    ORIGIN,
    Reader,
    ask_for_link,
    make_operator_link,
    on_both,
    read_as,
    read_as_operator,
)
from sqlalchemy import select, update
from starlette.routing import Route

from aboveboard.hub.api.rates import RateWindow
from aboveboard.hub.database.engine import read, write
from aboveboard.hub.database.tables import key, organization, session
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.worker import Worker
from aboveboard.hub.pages import sessions

STRANGERS = {"/", "/login", "/join", "/health", "/static/{name:str}"}
"""Pages that tell a stranger nothing about anybody."""

OPERATORS = {"/collaborations"}


def list_pages(house: House) -> list[str]:
    """Return the path of every page that is read, from the application itself."""
    return [
        route.path
        for route in house.app.routes
        if isinstance(route, Route)
        and "GET" in (route.methods or ())
        and not route.path.startswith("/api/")
        and route.path != "/metrics"
    ]


def fill(path: str, identifier: str, index: int = 0) -> str:
    filled = path.replace("{identifier:str}", identifier).replace("{index:str}", str(index))
    return filled.replace("{name:str}", "0123456789abcdef.css")


@pytest.fixture
def settled(hub: Hub, house: House, tmp_path: Path) -> Table:
    table = house.open(tmp_path, names=["acme", "bolt"])
    table.until_sealed()
    Worker(hub).work()
    return table


def test_the_list_of_pages_is_complete(house: House) -> None:
    pages = set(list_pages(house))
    assert pages >= STRANGERS | OPERATORS
    collaboration = {page for page in pages if "{identifier:str}" in page}
    assert len(collaboration) == 7
    assert pages == STRANGERS | OPERATORS | collaboration | {"/keys"}


@pytest.mark.deep
def test_no_page_shows_a_stranger_more_than_how_to_log_in(house: House, settled: Table) -> None:
    for page in list_pages(house):
        shown = Reader(house).get(fill(page, settled.id))
        expected = {200, 404} if page in STRANGERS else {401}
        assert shown.status_code in expected, page
        assert not any(name in shown.text for name in LISTS), page


def list_others(house: House) -> Iterator[Reader]:
    """Yield a member of other collaborations, and one who takes part in none."""
    yield read_as(house, "core")
    newcomer = Person("newcomer", house.people["acme"].client, house.clock)
    newcomer.join(house.hub)
    house.people["newcomer"] = newcomer
    yield read_as(house, "newcomer")


@on_both
@pytest.mark.deep
def test_no_page_shows_a_collaboration_to_those_who_take_no_part(
    house: House, settled: Table, tmp_path: Path
) -> None:
    other = house.open(tmp_path, names=["core"])
    for reader in list_others(house):
        for page in list_pages(house):
            if "{identifier:str}" not in page:
                continue
            for index in range(5):
                refused = reader.get(fill(page, settled.id, index))
                absent = reader.get(fill(page, "0" * 16, index))
                assert (refused.status_code, absent.status_code) == (404, 404), page
                hidden = r"form\" value=\"[0-9a-f]+"
                assert re.sub(hidden, "", refused.text) == re.sub(hidden, "", absent.text)
        listed = reader.get("/").text
        assert settled.id not in listed
        assert "acme" not in listed
    assert other.id in read_as(house, "core").get("/").text


@pytest.mark.deep
def test_members_see_no_page_of_the_operator(house: House, settled: Table) -> None:
    acme = read_as(house, "acme")
    for page in OPERATORS:
        assert acme.get(page).status_code == 404
    assert "Operator's board" not in acme.get("/").text
    assert "Operator&#39;s board" not in acme.get("/").text


@pytest.mark.deep
def test_no_member_sees_what_is_anothers_own(hub: Hub, house: House, settled: Table) -> None:
    """Neither ciphertexts and sealed replies, nor keys at the hub, nor whether it has fetched."""
    log = house.people["bolt"].send("GET", f"{settled.path}/log").json()["entries"]
    assert any('"submit"' in entry for entry in log)
    from aboveboard.hub.database.tables import reply

    with read(hub.engine) as connection:
        sealed = dict(connection.execute(select(reply.c.name, reply.c.digest)).all())
    acme = read_as(house, "acme")
    for page in list_pages(house):
        if page.endswith("{index:str}"):
            continue
        shown = acme.get(fill(page, settled.id)).text
        assert sealed["bolt"] not in shown, page
        if page in ("/keys", "/"):
            assert house.people["bolt"].keys.public.signing not in shown


@on_both
def test_a_link_opens_one_session_and_no_second(house: House) -> None:
    path = ask_for_link(house.people["acme"]).json()["path"]
    first, second = Reader(house), Reader(house)
    assert first.log_in(path).status_code == 303
    assert "My collaborations" in first.get("/").text
    assert second.get(path).status_code == 404
    token = path.partition("token=")[2]
    answer = second.client.post("/login", data={"token": token}, headers=ORIGIN)
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


@pytest.mark.deep
def test_looking_at_a_link_does_not_spend_it(house: House) -> None:
    path = ask_for_link(house.people["acme"]).json()["path"]
    for _ in range(3):
        assert Reader(house).get(path).status_code == 200
    assert Reader(house).log_in(path).status_code == 303


@pytest.mark.deep
@on_both
def test_a_recorded_request_for_a_link_cannot_be_repeated(house: House) -> None:
    acme = house.people["acme"]
    assert ask_for_link(acme, "ab" * 32).status_code == 201
    assert ask_for_link(acme, "ab" * 32).status_code == 401
    path = ask_for_link(acme, "cd" * 32).json()["path"]
    assert Reader(house).log_in(path).status_code == 303
    assert ask_for_link(acme, "cd" * 32).status_code == 401


@pytest.mark.deep
def test_links_and_sessions_end(house: House) -> None:
    path = ask_for_link(house.people["acme"]).json()["path"]
    reader = read_as(house, "acme")
    house.clock.seconds += 301
    assert Reader(house).get(path).status_code == 404
    assert "My collaborations" in reader.get("/").text
    house.clock.seconds += 4 * 3600
    assert reader.get("/keys").status_code == 401


@pytest.mark.deep
def test_a_revoked_key_ends_its_sessions(hub: Hub, house: House) -> None:
    reader = read_as(house, "acme")
    signing = house.people["acme"].keys.public.signing
    with write(hub.engine) as connection:
        connection.execute(update(key).where(key.c.signing == signing).values(revoked=1))
    assert reader.get("/keys").status_code == 401


@pytest.mark.deep
def test_strangers_get_no_link(house: House) -> None:
    stranger = Person("nobody", house.people["acme"].client, house.clock)
    assert ask_for_link(stranger).status_code == 401
    assert house.people["acme"].send("POST", "/api/v1/sessions", b"{}").status_code == 422


@pytest.mark.deep
def test_an_operator_is_a_key_that_the_configuration_names(hub: Hub, house: House) -> None:
    person = Person("remote", house.people["acme"].client, house.clock)
    assert ask_for_link(person).status_code == 401
    named = hub.configuration.model_copy(update={"operators": [person.keys.public.signing]})
    house.app.state.hub = replace(hub, configuration=named)
    answer = ask_for_link(person).json()
    assert answer["name"] == "the operator"
    reader = Reader(house)
    assert reader.log_in(answer["path"]).status_code == 303
    assert "board" in reader.get("/").text
    house.app.state.hub = hub
    assert reader.get("/keys").status_code == 401


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": f"http://{HOST}.evil.example"},
    {"Origin": f"ftp://{HOST}"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": f"http://{HOST}"},
    {"Sec-Fetch-Site": "none"},
    {},
]


def test_a_form_of_another_site_logs_nobody_in(house: House) -> None:
    token = ask_for_link(house.people["acme"]).json()["path"].partition("token=")[2]
    reader = Reader(house)
    for headers in FOREIGN:
        answer = reader.client.post("/login", data={"token": token}, headers=headers)
        assert answer.status_code == 403, headers
        assert "set-cookie" not in answer.headers
    assert reader.log_in(f"/login?token={token}").status_code == 303


@pytest.mark.deep
def test_only_a_page_of_the_session_ends_it(house: House) -> None:
    acme, bolt = read_as(house, "acme"), read_as(house, "bolt")
    foreign = re.search(r'name="form" value="([0-9a-f]+)"', bolt.get("/").text)
    own = re.search(r'name="form" value="([0-9a-f]+)"', acme.get("/").text)
    assert foreign is not None
    assert own is not None
    assert acme.get("/logout").status_code == 405
    for form in ("", "0" * 64, foreign[1]):
        answer = acme.client.post("/logout", data={"form": form}, headers=ORIGIN)
        assert answer.status_code == 403
    assert acme.get("/keys").status_code == 200
    kept = dict(acme.client.cookies)
    answer = acme.client.post("/logout", data={"form": own[1]}, headers=ORIGIN)
    assert answer.status_code == 303
    acme.client.cookies.clear()
    for name, value in kept.items():  # whoever kept the cookie has nothing
        acme.client.cookies.set(name, value)
    assert acme.get("/keys").status_code == 401


@pytest.mark.deep
def test_the_cookie_is_for_this_hub_and_no_script(hub: Hub, house: House) -> None:
    def cookie() -> str:
        link = f"/login?token={make_operator_link(hub)}"
        return str(Reader(house).log_in(link).headers["set-cookie"])

    plain = cookie()
    assert plain.startswith("aboveboard-hub-80=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(plain.split("; "))
    address = hub.configuration.model_copy(update={"address": f"https://{HOST}"})
    house.app.state.hub = replace(hub, configuration=address)
    safe = cookie()
    assert safe.startswith("__Host-aboveboard=")
    assert "Secure" in safe.split("; ")
    assert "Domain" not in safe


@pytest.mark.deep
def test_pages_are_kept_by_nobody_framed_by_nobody_and_run_nothing(
    house: House, settled: Table
) -> None:
    reader = read_as(house, "acme")
    shown = [reader.get(fill(page, settled.id)) for page in list_pages(house)]
    shown += [read_as_operator(house).get("/"), Reader(house).get("/keys"), reader.get("/x")]
    for each in shown:
        assert each.headers["cache-control"] == "no-store" or each.status_code == 404
        policy = each.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert each.headers["x-content-type-options"] == "nosniff"
        if each.headers["content-type"].startswith("text/html"):
            assert not re.search(r"<script|\son[a-z]+=|javascript:|\sstyle=", each.text, re.I)
            assert not re.search(r"(src|href|action)=\"(https?:)?//", each.text)


@pytest.mark.deep
def test_names_and_reasons_that_are_scripts_stay_text(
    hub: Hub, house: House, tmp_path: Path
) -> None:
    script = "<script>alert(1)</script>"
    table = house.open(tmp_path)
    from aboveboard.hub.collaborations.opening import open_collaboration

    file = tmp_path / "evil.toml"
    file.write_text(
        f'name = "{script}"\nmechanism = "exchange.union"\nkind = "domain"\n[parties.acme]\n'
    )
    identifier, _ = open_collaboration(hub, file)
    with write(hub.engine) as connection:  # no way through the product leads there
        connection.execute(
            update(organization).where(organization.c.name == "acme").values(name=script)
        )
    reader = Reader(house)
    path = ask_for_link(house.people["acme"]).json()["path"]
    assert script not in reader.get(path).text
    reader.log_in(path)
    operator = read_as_operator(house)
    for page in list_pages(house):
        for each in (identifier, table.id):
            for who in (reader, operator):
                shown = who.get(fill(page, each))
                if shown.headers["content-type"].startswith("text/html"):
                    assert script not in shown.text, page
    assert "&lt;script&gt;" in reader.get("/").text


ODD_PATHS = [
    "/collaborations/%2e%2e/keys",
    "/collaborations/..%2f..%2fkeys",
    "/collaborations/0123456789ABCDEF",
    "/collaborations/0123456789abcdef%0a",
    "/collaborations/0123456789abcdef%00",
    "/collaborations/0123456789abcdef;x",
    "/collaborations/' OR 1=1--",
    "/collaborations/0123456789abcdef/log/-1",
    "/collaborations/0123456789abcdef/log/99999999999999999999",
    "/collaborations/0123456789abcdef/log/0x1",
    "/static/../../hub.toml",
    "/static/%2e%2e%2fhub.toml",
    "//evil.example/",
    "/login/",
]


@pytest.mark.deep
def test_odd_paths_lead_nowhere(house: House) -> None:
    reader = read_as(house, "acme")
    for path in ODD_PATHS:
        answer = reader.client.get(f"http://{HOST}{path}")
        assert answer.status_code in (307, 404), (path, answer.text)
        if answer.status_code == 307:
            assert answer.headers["location"].startswith(f"http://{HOST}/")


@pytest.mark.deep
def test_odd_queries_and_cookies_change_nothing(house: House, settled: Table) -> None:
    reader = read_as(house, "acme")
    for query in ("after=%27", "after=zzzz", "after=" + "f" * 5000, "after=\udcff", "x=1&after="):
        assert reader.client.get("/", params=query.encode("utf-8", "replace")).status_code == 200
    path = f"/collaborations/{settled.id}/log"
    for start in ("-1", "1e9", "9" * 30, "%00", "0x10"):
        assert reader.get(f"{path}?start={start}").status_code == 200
    for value in ("", "x", "a" * 10_000, "'; DROP TABLE session; --", "%00"):
        stranger = Reader(house)
        stranger.client.cookies.set("aboveboard-hub-80", value)
        assert stranger.get("/keys").status_code == 401


@pytest.mark.deep
def test_headers_of_proxies_name_no_other_host_and_no_other_path(house: House) -> None:
    reader = read_as(house, "acme")
    odd = {
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/keys",
        "X-HTTP-Method-Override": "POST",
        "Forwarded": "host=evil.example",
    }
    shown = reader.get("/", headers=odd)
    assert "evil.example" not in shown.text
    assert "My collaborations" in shown.text
    assert reader.get("/", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.deep
def test_a_session_of_one_hub_is_none_at_another(house: House, hub: Hub) -> None:
    reader = read_as(house, "acme")
    with write(hub.engine) as connection:
        connection.execute(session.delete())
    assert reader.get("/keys").status_code == 401


@pytest.mark.deep
def test_a_flood_of_log_ins_is_slowed_down_and_hurts_no_member(house: House) -> None:
    acme = read_as(house, "acme")
    reader = Reader(house)
    statuses = [
        reader.client.post("/login", data={"token": f"t{k}"}, headers=ORIGIN).status_code
        for k in range(130)
    ]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    assert acme.get("/keys").status_code == 200


def test_guessed_links_do_not_wait_for_those_who_write(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("a stranger writes to the database")

    monkeypatch.setattr(sessions, "write", refuse)
    answer = Reader(house).client.post("/login", data={"token": "guess"}, headers=ORIGIN)
    assert answer.status_code == 404


def test_who_opens_many_sessions_reads_no_more_pages_than_with_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [read_as(house, "acme") for _ in range(3)]
    bolt = read_as(house, "bolt")
    monkeypatch.setattr(house.app.state.rates, "_members", RateWindow(8, clock=lambda: 0.0))
    statuses = [readers[k % 3].get("/keys").status_code for k in range(12)]
    assert statuses == [200] * 8 + [429] * 4
    assert bolt.get("/keys").status_code == 200


@pytest.mark.deep
def test_forms_are_small(house: House) -> None:
    reader = Reader(house)
    large = reader.client.post("/login", data={"token": "x" * 5000}, headers=ORIGIN)
    assert large.status_code == 413
    odd = reader.client.post("/login", content=b"{}", headers={
        **ORIGIN, "Content-Type": "application/json"})  # fmt: skip
    assert odd.status_code == 403
    odd = reader.client.post("/login", content=b"token=\xff", headers={
        **ORIGIN, "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert odd.status_code == 403
