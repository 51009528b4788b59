"""What products' servers are told."""
