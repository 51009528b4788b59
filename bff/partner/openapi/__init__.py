"""The OpenAPI 3.1 document of the embedded service.

A new route needs one ``Operation`` in ``operations.py``, and a model in ``shapes.py`` if its JSON is new;
``tests/partner/test_openapi.py`` says which one is missing.
"""
