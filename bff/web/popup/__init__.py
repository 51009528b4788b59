"""Pages of the popup."""
