"""A service: one family in one environment, with where its load balancer is found and what it runs now."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.domain.plans.expectation import CANARY_RULE, TRAFFIC_RULE
from releases.domain.provisioning.execution_role import RoleRights
from releases.domain.provisioning.settings import MOST_SLOTS
from releases.domain.rollout_plan import Rotation
from releases.domain.traffic import Color, TrafficState, Version

ROTATION_CHOICES = [(rotation.value, rotation.value) for rotation in Rotation]
ROLE_RIGHTS_CHOICES = [(rights.value, rights.value) for rights in RoleRights]
COLORS = [(color.value, color.value) for color in Color]
_FORGET_PERMISSIONS = """
DELETE FROM guardian_userobjectpermission WHERE object_pk = OLD.id::text AND content_type_id IN
    (SELECT id FROM django_content_type WHERE app_label = 'releases' AND model = 'service');
DELETE FROM guardian_groupobjectpermission WHERE object_pk = OLD.id::text AND content_type_id IN
    (SELECT id FROM django_content_type WHERE app_label = 'releases' AND model = 'service');
RETURN NULL;
"""


def color_in(field: str) -> models.Q:
    """The condition that a column holds one of the two colours."""
    return models.Q(**{f"{field}__in": [color.value for color in Color]})


class Service(models.Model):
    """The recorded state is the last one that was verified against AWS, never what is merely wanted.

    ``epoch`` is raised by each emergency rollback: a plan made in an earlier epoch is worthless. ``safe_color`` is
    where that rollback leads, and is committed before an apply starts that changes it. ``*_traffic_ended_at`` is when
    traffic was last read back as gone from a function; null means that it has had none since it was set up.
    ``promoted_at`` is when the present version was promoted, for as long as the version before it is still in place on
    the other colour; there it is kept for ``rollback_window_seconds``. ``settings_begun`` are settings that an apply
    has begun to bring about and that were not verified yet: what is real may be these or the recorded ones, each by
    itself; empty otherwise. ``canary_addresses`` are what a new release begins with, ``active_canary_addresses`` whom
    the canary sends now; ``canary_header_value`` is encrypted. ``internet_facing``: whether the load balancer is on the
    internet; null until AWS was asked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=40, unique=True)
    family = models.SlugField(max_length=26)
    environment = models.SlugField(max_length=20, default="production")
    region = models.CharField(max_length=30)
    account_id = models.CharField(max_length=12)
    listener_arn = models.CharField(max_length=300)
    repository_uri = models.CharField(max_length=300)
    hostnames = models.JSONField(default=list, blank=True)
    priority = models.PositiveIntegerField(
        default=200, validators=[MinValueValidator(2), MaxValueValidator(50_000)]
    )
    paths = models.JSONField(default=list, blank=True)
    canary_addresses = models.JSONField(default=list, blank=True)
    canary_slots = models.PositiveSmallIntegerField(default=1)
    canary_header_name = models.CharField(max_length=40, blank=True)
    canary_header_value = models.CharField(max_length=600, blank=True)
    internet_facing = models.BooleanField(null=True, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    log_retention_days = models.PositiveIntegerField(null=True, blank=True)
    stickiness_seconds = models.PositiveIntegerField(default=0)
    provisioned_concurrency = models.PositiveIntegerField(default=0)
    role_arn = models.CharField(max_length=200, blank=True)
    role_rights = models.CharField(
        max_length=7, choices=ROLE_RIGHTS_CHOICES, default=RoleRights.MANAGED.value
    )
    role_permissions_boundary = models.CharField(max_length=200, blank=True)
    settings_begun = models.JSONField(default=dict, blank=True)
    weights = models.JSONField(default=list, blank=True)
    canary_first = models.BooleanField(default=True)
    extra_gates = models.JSONField(default=list, blank=True)
    automatic_steps = models.JSONField(default=list, blank=True)
    bakes = models.JSONField(default=dict, blank=True)
    bake_seconds = models.PositiveIntegerField(default=300)
    settle_seconds = models.PositiveIntegerField(default=120)
    rotation = models.CharField(max_length=4, choices=ROTATION_CHOICES, default=Rotation.COPY.value)
    rollback_window_seconds = models.PositiveIntegerField(default=86_400)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    set_up_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    active_color = models.CharField(max_length=5, choices=COLORS, default=Color.BLUE.value)
    blue_image = models.CharField(max_length=400)
    green_image = models.CharField(max_length=400)
    blue_tag = models.CharField(max_length=128, blank=True)
    green_tag = models.CharField(max_length=128, blank=True)
    blue_configuration = models.JSONField(default=dict, blank=True)
    green_configuration = models.JSONField(default=dict, blank=True)
    green_weight = models.PositiveSmallIntegerField(default=0)
    activate_canary = models.BooleanField(default=False)
    active_canary_addresses = models.JSONField(default=list, blank=True)

    promoted_at = models.DateTimeField(null=True, blank=True)
    safe_color = models.CharField(max_length=5, choices=COLORS, default=Color.BLUE.value)
    epoch = models.PositiveIntegerField(default=0)
    blue_traffic_ended_at = models.DateTimeField(null=True, blank=True)
    green_traffic_ended_at = models.DateTimeField(null=True, blank=True)

    traffic_rule_arn = models.CharField(max_length=300, blank=True)
    canary_rule_arn = models.CharField(max_length=300, blank=True)
    more_canary_rule_arns = models.JSONField(default=dict, blank=True)
    blue_target_group_arn = models.CharField(max_length=300, blank=True)
    green_target_group_arn = models.CharField(max_length=300, blank=True)
    blue_function_name = models.CharField(max_length=140, blank=True)
    green_function_name = models.CharField(max_length=140, blank=True)
    blue_function_version = models.CharField(max_length=20, blank=True)
    green_function_version = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("request_service", "May request releases"),
            ("approve_service", "May approve releases"),
            ("operate_service", "May start the steps of a release"),
            ("emergency_service", "May roll back"),
            ("manage_service", "May change the settings, and remove the service"),
            ("audit_service", "May see the trail"),
        ]
        triggers = [
            # Guardian's permissions name their object by its key alone: a later one with that key would have them.
            pgtrigger.Trigger(
                name="leaves_no_permissions",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func=_FORGET_PERMISSIONS,
            )
        ]
        constraints = [
            # Target groups are called after it, and their names are unique in an account's region.
            models.UniqueConstraint(
                fields=["account_id", "region", "family"],
                condition=models.Q(removed_at__isnull=True),
                name="service_family_once_in_a_region",
            ),
            models.CheckConstraint(
                condition=models.Q(green_weight__lte=100), name="service_weight_at_most_100"
            ),
            models.CheckConstraint(condition=color_in("active_color"), name="service_active_color_known"),
            models.CheckConstraint(condition=color_in("safe_color"), name="service_safe_color_known"),
            models.CheckConstraint(
                condition=models.Q(rotation__in=[rotation.value for rotation in Rotation]),
                name="service_rotation_known",
            ),
            models.CheckConstraint(
                condition=models.Q(role_rights__in=[rights.value for rights in RoleRights]),
                name="service_role_rights_known",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__gte=2, priority__lte=50_000), name="service_priority_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(canary_slots__gte=1, canary_slots__lte=MOST_SLOTS),
                name="service_canary_slots_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> TrafficState:
        """The recorded state as the rules know it."""
        return TrafficState(
            active_color=Color(self.active_color),
            blue=Version(image=self.blue_image, configuration=self.blue_configuration),
            green=Version(image=self.green_image, configuration=self.green_configuration),
            green_weight=self.green_weight,
            activate_canary=self.activate_canary,
            canary_addresses=tuple(self.active_canary_addresses) if self.activate_canary else (),
        )

    @property
    def canary_rule_arns(self) -> dict[str, str]:
        """The ARNs of the canary's rules, by their addresses in the module."""
        return {CANARY_RULE: self.canary_rule_arn, **self.more_canary_rule_arns}

    @property
    def rule_arns(self) -> dict[str, str]:
        """The ARNs of all its rules, by their addresses in the module: the traffic rule's first."""
        return {TRAFFIC_RULE: self.traffic_rule_arn, **self.canary_rule_arns}

    @property
    def function_versions(self) -> dict[Color, str]:
        """The published version that each colour's alias led to when it was last verified."""
        return {Color.BLUE: self.blue_function_version, Color.GREEN: self.green_function_version}

    def target_group_arn(self, color: Color) -> str:
        """The ARN of one colour's target group; empty before the set-up."""
        return self.blue_target_group_arn if color is Color.BLUE else self.green_target_group_arn
