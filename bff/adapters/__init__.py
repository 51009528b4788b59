"""The real things behind the core's ports: the partner service over HTTP, the database, product files."""
