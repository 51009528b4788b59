"""The sandbox third party: a small authorization server to connect to, and its misbehaving variants."""
