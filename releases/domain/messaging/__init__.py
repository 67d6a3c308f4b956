"""What people are told, where to, and when again."""
