"""Runs the migrations on the engine that `aion_assets.core.database.engine` hands over."""

from alembic import context

from aion_assets.core.database import learning_tables, stream_tables, tables

assert learning_tables.metadata is stream_tables.metadata is tables.metadata, "every module of tables is imported"

with context.config.attributes["engine"].begin() as connection:
    context.configure(connection=connection, target_metadata=tables.metadata)
    with context.begin_transaction():
        context.run_migrations()
