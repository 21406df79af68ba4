"""Runs the migrations on the engine that `aion_assets.core.database.engine` hands over."""

from alembic import context

from aion_assets.core.database.tables import metadata

with context.config.attributes["engine"].begin() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
