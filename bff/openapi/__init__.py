"""Generates the OpenAPI 3.1 documents of both programs from declarations beside the routes.

``operation.py`` has the classes of a declaration, ``routes.py`` collects the routes of an app, and
``document.py`` writes the document. What differs between the programs (access, refusals) is in
``bff/web/openapi`` and ``bff/partner/openapi``.
"""
