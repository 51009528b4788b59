"""Rules of attempts, minting, polling, outcomes."""
