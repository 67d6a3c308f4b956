"""What is stored: columns and constraints. Rules stand in ``releases.domain``, changes in ``releases.services``."""

from releases.models.approval import Approval, Decision
from releases.models.broken_glass import BrokenGlass
from releases.models.emergency import EmergencyRollback, Press, TrafficCount, Try, Watch
from releases.models.image_mark import ImageMark
from releases.models.kept_answer import KeptAnswer
from releases.models.message import Delivery, DeliveryState, MailChoice, Message, Webhook
from releases.models.policy import Policy
from releases.models.readiness import Readiness
from releases.models.rehearsal import Rehearsal
from releases.models.release import Release
from releases.models.role_grant import RoleGrant
from releases.models.service import Service
from releases.models.service_account import ServiceAccount
from releases.models.step import Step, StepRun
from releases.models.token import Token

__all__ = [
    "Approval",
    "BrokenGlass",
    "Decision",
    "Delivery",
    "DeliveryState",
    "EmergencyRollback",
    "ImageMark",
    "KeptAnswer",
    "MailChoice",
    "Message",
    "Policy",
    "Press",
    "Readiness",
    "Rehearsal",
    "Release",
    "RoleGrant",
    "Service",
    "ServiceAccount",
    "Step",
    "StepRun",
    "Token",
    "TrafficCount",
    "Try",
    "Watch",
    "Webhook",
]
