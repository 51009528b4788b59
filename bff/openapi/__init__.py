"""OpenAPI 3.1 for both programs: a route describes itself where it is written, and the document follows.

``operation.py`` has the words of a description, ``routes.py`` collects the routes of an app, and
``document.py`` writes the document. What is peculiar to a program's API (who may call, how it refuses) is in
``bff/web/openapi`` and ``bff/partner/openapi``.
"""
