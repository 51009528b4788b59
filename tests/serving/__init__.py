"""How both programs are served."""
