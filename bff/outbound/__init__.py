"""The HTTP client for calls to other services: deadlines, retries, a circuit breaker."""
