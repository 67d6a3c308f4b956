"""What versions run with, how that is stored, and what became of their images."""
