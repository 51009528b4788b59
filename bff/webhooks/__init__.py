"""Webhooks: a product's server is told what happened, after the Standard Webhooks specification."""
