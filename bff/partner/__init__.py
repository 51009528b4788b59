"""The embedded partner service: a program of its own that speaks Cyclr's HTTP protocol.

It imports nothing of the rest of the product, and the rest imports nothing of it: the two talk over HTTP
only, so that what holds against this service holds against Cyclr.
"""
