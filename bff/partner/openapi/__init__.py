"""OpenAPI description of the embedded service. Routes declare access, rate limit and operation.

``describe.py`` has the decorators, ``shapes.py`` the shared request and response models, and ``routes.py``
serves the document.
"""
