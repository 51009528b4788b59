"""Who is signed in: principals, session ends, and the host's signed assertions."""
