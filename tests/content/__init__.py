"""Rules of messages, words, look, drafts."""
