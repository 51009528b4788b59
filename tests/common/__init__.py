"""Rules of errors, origins, strict JSON."""
