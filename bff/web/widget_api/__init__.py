"""Calls of the widget."""
