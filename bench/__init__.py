"""Hitchpost's speed, measured beside what a user would pick instead: ``make bench``."""
