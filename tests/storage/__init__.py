"""Rules of the schema, migrations, encryption."""
