"""Account connectors: their rows, properties, grant state and recorded sign-ins."""
