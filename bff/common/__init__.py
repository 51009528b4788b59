"""What every package may use: errors, secrets, origins, strict JSON, a cache."""
