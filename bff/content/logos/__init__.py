"""Checks and stores the images of a product's look."""
