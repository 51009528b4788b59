"""Who is signed in: sessions, and assertions of the host."""
