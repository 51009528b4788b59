"""One Connect click: attempts, minting, polling, the outcome."""
