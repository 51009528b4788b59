"""Files and health checks."""
