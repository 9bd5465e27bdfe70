"""What goes wrong with a collaboration outside of a job: logged once, and shown to the operator."""

from __future__ import annotations

import logging

from aboveboard.hub.collaborations.logs import lock
from aboveboard.hub.collaborations.notices import OPERATOR, write_notice
from aboveboard.hub.database.engine import write
from aboveboard.hub.home import Hub
from aboveboard.hub.jobs.queue import record_failure

logger = logging.getLogger(__name__)

STEP, ARCHIVE = "step", "archive"
"""What can go wrong: a step is not ended, or inputs are not deleted."""

MOST_PROBLEM = 500
"""Characters of a problem that the board shows."""


def note_failure(hub: Hub, identifier: str, kind: str, error: Exception) -> None:
    """Note that a step cannot be ended, or a round not archived.

    It is tried again with each look, and noted again only once the log has grown.
    """
    problem = f"{type(error).__name__}: {error}"[:MOST_PROBLEM]
    with write(hub.engine) as connection:
        size = lock(connection, identifier).size
        if not record_failure(connection, kind, identifier, size, problem, hub.now):
            return
        write_notice(connection, identifier, OPERATOR, "given-up", hub.now)
    logger.error("collaboration %s: %s", identifier, kind, exc_info=error)
