"""The embedded partner service's database."""
