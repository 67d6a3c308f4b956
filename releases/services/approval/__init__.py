"""Gates: who has approved, who could, what the policy asks for, and its changes."""
