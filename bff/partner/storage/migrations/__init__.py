"""The BFF's schema, step by step (alembic)."""
