"""Run by alembic: migrations on the engine that the hub hands over, in one transaction."""

from alembic import context

from aboveboard.hub.database.tables import metadata

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
