"""The application: API, health and metrics, behind the guard."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from aboveboard._version import __version__
from aboveboard.hub.api import sharing
from aboveboard.hub.api.authentication import RateLimits
from aboveboard.hub.api.guard import Guard
from aboveboard.hub.api.problems import install_handlers
from aboveboard.hub.api.routes import router
from aboveboard.hub.collaborations.logs import NoCollaborationError
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import collaboration, log_entry, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.queue import count_jobs
from aboveboard.hub.pages.routes import install_pages


def create_application(hub: Hub, hosts: Collection[str] = ()) -> FastAPI:
    """Return the application of a hub.

    Parameters
    ----------
    hub
        The hub.
    hosts
        Values of the Host header that are its; none: the one of the configured address.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.hub.configuration import Configuration
    >>> from aboveboard.hub.home import make_hub
    >>> with TemporaryDirectory() as folder:
    ...     app = create_application(make_hub(Path(folder) / "hub", Configuration()))
    ...     "/api/v1/me" in app.openapi()["paths"]
    True
    """
    app = FastAPI(
        title="aboveboard hub",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.hub = hub
    app.state.rates = RateLimits(hub)
    install_handlers(app)
    app.include_router(router)
    app.include_router(sharing.router)
    install_pages(app, hub)
    app.add_middleware(Guard, hosts=hosts or (hub.configuration.authority,))

    @app.get("/health")
    def show_health() -> JSONResponse:
        """Return whether the hub can work: its database answers, its disk has room."""
        free = shutil.disk_usage(hub.folder).free
        room = free >= hub.configuration.limits.free_bytes
        try:
            with read(hub.engine) as connection:
                connection.execute(select(1))
            answers = True
        except SQLAlchemyError:
            answers = False
        status = {"status": "ok" if room and answers else "fails", "database": answers}
        return JSONResponse({**status, "room": room}, 200 if room and answers else 503)

    @app.get("/metrics", include_in_schema=False)
    def show_metrics(request: Request) -> PlainTextResponse:
        """Return numbers for Prometheus, to whoever has the token of the configuration."""
        token = hub.configuration.metrics_token
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or not secrets.compare_digest(sent.encode(), token.encode()):
            raise NoCollaborationError
        return PlainTextResponse(render_metrics(measure(hub)))

    return app


def measure(hub: Hub) -> dict[str, dict[str, float]]:
    """Return what the hub counts: by family, by label; one without a label has the label ""."""
    with read(hub.engine) as connection:
        states = connection.execute(
            select(collaboration.c.state, func.count()).group_by(collaboration.c.state)
        ).all()
        jobs = count_jobs(connection)
        entries = connection.execute(select(func.count()).select_from(log_entry)).scalar_one()
        members = connection.execute(select(func.count()).select_from(organization)).scalar_one()
    return {
        "aboveboard_collaborations": {f'state="{state}"': n for state, n in states},
        "aboveboard_jobs": {f'state="{state}"': n for state, n in jobs.items()},
        "aboveboard_log_entries": {"": entries},
        "aboveboard_organizations": {"": members},
        "aboveboard_disk_free_bytes": {"": shutil.disk_usage(hub.folder).free},
    }


def render_metrics(families: dict[str, dict[str, float]]) -> str:
    """Return numbers in the text format of Prometheus.

    Examples
    --------
    >>> print(render_metrics({"jobs": {'state="done"': 2}}), end="")
    # TYPE jobs gauge
    jobs{state="done"} 2
    """
    lines = []
    for name, values in families.items():
        lines.append(f"# TYPE {name} gauge")
        lines += [f"{name}{{{x}}} {n}" if x else f"{name} {n}" for x, n in values.items()]
    return "\n".join(lines) + "\n"
