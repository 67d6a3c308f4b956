"""Change records and reports: their content and their forms."""
