"""The bare framework that writes a row a request: python -m benchmarks.hub_rows FOLDER.

It is a process of its own, on the database of the hub in the folder, and prints its address.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import uvicorn
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert

from aboveboard.hub.database.engine import write
from aboveboard.hub.home import open_hub
from aboveboard.hub.serving import HubServer, bind

bare = Table("bare", MetaData(), Column("id", Integer, primary_key=True), Column("text", Text))


def serve(folder: Path) -> None:
    """Serve one route, which writes a row and commits."""
    from fastapi import Body, FastAPI

    hub, app = open_hub(folder), FastAPI()
    bare.metadata.create_all(hub.engine)

    @app.post("/rows")
    def add(text: str = Body()) -> dict[str, bool]:
        with write(hub.engine) as connection:
            connection.execute(insert(bare), {"text": text})
        return {"kept": True}

    bound = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    HubServer(config, lambda: print(json.dumps({"address": address}), flush=True)).run([bound])


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
