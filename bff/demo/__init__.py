"""The demo: the whole product on one machine, with a host page and a third party of its own."""
