"""How a route of the BFF declares who may call it, how its calls are counted, and its OpenAPI operation.

``describe.py`` has the decorators, ``parameters.py`` and ``shapes.py`` what several routes share, and
``routes.py`` serves the document.
"""
