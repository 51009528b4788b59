"""Declarations of the BFF's routes: access, limit and OpenAPI operation.

``describe.py`` has the decorators, ``parameters.py`` and ``shapes.py`` have shared parameters and models, and
``routes.py`` serves the document.
"""
