"""Webhooks: events sent to a product's server, by the Standard Webhooks specification."""
