"""What routes share: authentication, bodies, limits, answers."""
