"""What the tests stand on: real programs on real sockets."""
