"""What an operator sees: every collaboration, who is awaited, jobs, and what went wrong."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from aboveboard.hub.collaborations.logs import read_round
from aboveboard.hub.collaborations.notices import list_awaited
from aboveboard.hub.database.engine import read
from aboveboard.hub.database.tables import collaboration, job, organization
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.queue import count_jobs


def look(hub: Hub) -> dict[str, Any]:
    """Return the hub's organisations, collaborations and jobs, plain data."""
    with read(hub.engine) as connection:
        names = connection.execute(select(organization.c.name).order_by(organization.c.name))
        rows = connection.execute(select(collaboration).order_by(collaboration.c.created)).all()
        collaborations = [
            {
                "id": row.id,
                "name": row.name,
                "state": row.state,
                "entries": row.size,
                "awaited": list(list_awaited(read_round(connection, row))),
                "faults": json.loads(row.faults),
            }
            for row in rows
        ]
        failed = connection.execute(
            select(job.c.id, job.c.collaboration, job.c.problem).where(job.c.state == "failed")
        ).all()
        return {
            "organizations": list(names.scalars()),
            "collaborations": collaborations,
            "jobs": count_jobs(connection),
            "failed": [
                {"job": each.id, "collaboration": each.collaboration, "problem": each.problem}
                for each in failed
            ],
        }
