"""The demo: all programs on one machine, with a host page and a sandbox third party."""
