"""The servers that `benchmarks.rate_endpoint` compares: a minimal one that inserts a row a request, and Palate."""

import sys
from pathlib import Path
from threading import Event

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import Column, Float, MetaData, String, Table, insert

from web.adapters.database.engine import connect
from web.app import create_app
from web.http.serving.server import listen
from web.parts import build_parts
from web.settings import Settings
from web.settings.key import signing_key

rows = Table(
    "minimal_rows",
    MetaData(),
    Column("id", String(36), primary_key=True),
    Column("item", String(36)),
    Column("score", Float),
)


class Row(BaseModel):
    """What the minimal app stores."""

    id: str
    item: str
    score: float


def minimal(url: str) -> FastAPI:
    """Build the smallest FastAPI app that keeps a rating: one validated body, one transaction, one row."""
    engines = connect(url)
    rows.metadata.create_all(engines.writer)
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False})

    @app.post("/row")
    def keep(row: Row) -> dict[str, bool]:
        with engines.writer.begin() as connection:
            connection.execute(insert(rows), row.model_dump())
        return {"saved": True}

    return app


def main() -> None:
    """Serve `minimal` or `palate`: arguments are the name, the database's address, a folder and a port."""
    name, url, folder, port = sys.argv[1:]
    settings = Settings(database_url=url, data_dir=Path(folder), port=int(port))
    app = minimal(url) if name == "minimal" else create_app(build_parts(settings), settings, signing_key(settings))
    listen(app, "127.0.0.1", int(port), lambda: None, Event())


if __name__ == "__main__":
    main()
