"""The API for programs, ``/api/v1``: the same services and permissions as the pages, by token."""
