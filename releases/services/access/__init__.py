"""Accounts, groups, roles, tokens: each change with its event."""
