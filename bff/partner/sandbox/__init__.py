"""The sandbox: a small OAuth authorization server for tests and demos, with misbehaving variants."""
