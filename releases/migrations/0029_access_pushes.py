"""Wakes open streams when somebody's rights, account or session changed, however that was done.

The tables belong to others, so the triggers stand here and not at a model.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION bluegreen_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bluegreen', '{"access": "access"}');
    RETURN NULL;
END $$;
"""
CHANGES = {
    "guardian_userobjectpermission": "INSERT OR UPDATE OR DELETE",
    "guardian_groupobjectpermission": "INSERT OR UPDATE OR DELETE",
    "auth_user_groups": "INSERT OR UPDATE OR DELETE",
    "auth_user": "UPDATE OF is_active, password OR DELETE",
    "django_session": "DELETE",
}
TRIGGERS = [
    migrations.RunSQL(
        f"CREATE TRIGGER bluegreen_access AFTER {change} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION bluegreen_access_changed()",
        f"DROP TRIGGER bluegreen_access ON {table}",
    )
    for table, change in CHANGES.items()
]


class Migration(migrations.Migration):

    dependencies = [
        ('releases', '0028_roles_of_those_with_rights'),
        ('sessions', '0001_initial'),
    ]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION bluegreen_access_changed()"), *TRIGGERS]
