"""Tables, migrations and encryption of the BFF's database."""
