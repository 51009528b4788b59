"""Products as operators register them: the product file and the database."""
