"""Speaks Cyclr's HTTP protocol to the partner service."""
