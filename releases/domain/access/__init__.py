"""Who may do what: roles, tokens' scopes, and who could approve earlier."""
