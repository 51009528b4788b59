"""The OpenAPI 3.1 document of the BFF: what can be called, with what, and every answer.

``operations.py`` lists the routes, ``shapes.py`` the JSON that they answer with; request bodies are the
models that the routes themselves read. ``tests/web/test_openapi.py`` compares all of it with the program.
"""
