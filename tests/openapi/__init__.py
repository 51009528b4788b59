"""What both programs describe themselves with."""
