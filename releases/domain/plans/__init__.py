"""Plans of Terraform: what each transition may change, and what a plan says in words."""
