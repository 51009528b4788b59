"""Third parties: the catalogue, and the calls to them."""
