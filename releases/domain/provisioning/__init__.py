"""What a service's resources are made as, its settings, and its end."""
