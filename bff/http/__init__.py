"""The BFF's Flask code: who calls, what may be called, and what is answered."""
