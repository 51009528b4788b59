"""Sign-ins at third parties that are no sandbox of ours, each beside a demo that knows it."""
