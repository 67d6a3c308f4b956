"""What templates are handed: frozen values with words and numbers in them, ready to be written down."""
