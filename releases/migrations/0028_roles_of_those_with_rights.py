"""Gives everybody who has rights on a service the roles that these rights make up.

Nobody is given more than they had. What no role explains stays as it is until that holder's roles are changed.
"""

from collections import defaultdict

from django.db import migrations

# As the roles were when this was written, the greatest first.
ROLES = {
    "requester": {"view", "request"},
    "approver": {"view", "approve"},
    "operator": {"view", "operate", "emergency"},
    "viewer": {"view"},
}


def give_roles(apps, schema_editor):
    for kind, table in (("user", "UserObjectPermission"), ("group", "GroupObjectPermission")):
        rows = apps.get_model("guardian", table).objects.filter(
            content_type__app_label="releases", content_type__model="service"
        )
        held = defaultdict(set)
        for holder, service, right in rows.values_list(f"{kind}_id", "object_pk", "permission__codename"):
            held[holder, service].add(right.removesuffix("_service"))
        services = set(map(str, apps.get_model("releases", "Service").objects.values_list("pk", flat=True)))
        for (holder, service), rights in held.items():
            for role in _roles(rights) if service in services else ():
                apps.get_model("releases", "RoleGrant").objects.create(
                    role=role, service_id=service, **{f"{kind}_id": holder}
                )


def _roles(rights):
    found = [role for role, bundle in ROLES.items() if bundle <= rights]
    return found if found == ["viewer"] else [role for role in found if role != "viewer"]


class Migration(migrations.Migration):

    dependencies = [
        ('releases', '0027_roles'),
        ('guardian', '0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more'),
    ]

    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]
