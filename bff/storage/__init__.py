"""The BFF's database: tables, migrations, encryption at rest, the outbox of events."""
