"""What is real at AWS, compared with what was planned or wanted."""
