"""Whether the database role that this process has could change what is recorded."""

from django.db import connection

_TABLES = ("audit_auditevent", "audit_chainlink")
_MAY = """
SELECT
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    has_parameter_privilege(current_user, 'session_replication_role', 'SET'),
    ARRAY(SELECT relname::text FROM pg_class WHERE oid = ANY(tables) AND pg_has_role(current_user, relowner, 'USAGE')),
    ARRAY(
        SELECT privilege || ' on ' || relname
        FROM pg_class, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege
        WHERE oid = ANY(tables) AND has_table_privilege(current_user, oid, privilege)
    ),
    has_table_privilege(current_user, 'audit_chainlink', 'INSERT')
FROM (SELECT %s::regclass[]::oid[] AS tables) AS given
"""


def problems() -> list[str]:
    """By what this role could change the trail, each in a sentence; none if it can't."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY, [list(_TABLES)])
        [(is_superuser, may_switch_off, owned, rights, may_insert)] = cursor.fetchall()
    if is_superuser:
        return ["It is a superuser, who may do everything."]
    return [
        *(["It may set session_replication_role, which switches triggers off."] if may_switch_off else []),
        *(f"It owns {table}, and could switch its triggers off." for table in owned),
        *(f"It has the right {right}." for right in sorted(rights)),
        *(["It has the right INSERT on audit_chainlink."] if may_insert else []),
    ]
