"""Routes that the widget calls."""
