"""The HTTP client for calls to other services, with deadlines, retries and a circuit breaker."""
