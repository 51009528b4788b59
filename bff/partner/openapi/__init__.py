"""How a route of the embedded service declares who may call it, its limit and its OpenAPI operation.

``describe.py`` has the decorators, ``shapes.py`` what several routes take or answer, and ``routes.py`` serves
the document.
"""
