"""Runs migrations on the connection that the caller opened (``bff.serving.database.Schema``)."""

from alembic import context

from bff.partner.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
