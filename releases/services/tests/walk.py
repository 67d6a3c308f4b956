"""What people do to one service, as acts with a number: each may be refused, and then nothing has happened."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Never
from uuid import UUID

from django.contrib.auth.models import User

from releases import selectors
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.errors import DomainError
from releases.models import Release, Service, Step
from releases.services import again, canary_addresses, facts, preparation, release_acts, shares
from releases.services.approval import approvals
from releases.services.errors import ActRefused
from releases.services.provisioning import managed, removals, settings_runs
from releases.services.provisioning.settings_columns import recorded_settings

ACTS = [
    "request", "request_again", "start", "approve", "reject", "pause", "resume", "retry", "skip", "skip_bake", "cancel",
    "set_share", "add_address", "prepare", "roll_back", "change_settings", "remove", "call_off", "try_again",
    "switch_approver",
]  # fmt: skip
# What most walks need to get anywhere comes more often.
OFTEN = ["start", "approve", "start", "approve", "request", "set_share", "retry"]


class Walk:
    """One service on its way. ``keeper`` may manage it; the others are those of the life."""

    def __init__(self, life: Any, keeper: User) -> None:
        self.life, self.world, self.keeper = life, life.world, keeper

    def take(self, act: str, number: int) -> None:
        """Do it, or be refused."""
        with suppress(DomainError):
            getattr(self, act)(number)

    def request(self, number: int) -> None:
        automatic = ["rotation", "shift-50"] if number % 3 == 0 else []
        self.life.ask_for(
            f"v{2 + number % 3}", canary=number % 2 == 0, bake_seconds=number % 5 * 20, automatic=automatic
        )

    def request_again(self, number: int) -> None:
        with suppress(Release.DoesNotExist):
            again.request_again(service_id=self._service(), user=self.life.requester, number=number % 4)

    def start(self, _: int = 0) -> None:
        approvals.start(step_id=self._acting().pk, user=self.life.operator)

    def approve(self, number: int = 0) -> None:
        """By a manager; now and then by who requested it, or by who asked for these settings."""
        by = {1: self.life.requester, 2: self.keeper}.get(number, self.life.manager)
        approvals.approve(**self._shown(), user=by)

    def reject(self, number: int) -> None:
        if number % 4 == 3:
            approvals.reject(**self._shown(), user=self.life.manager, comment="not today")

    def switch_approver(self, number: int) -> None:
        """Who approves may lose their account between the approval and the apply, and have it again."""
        User.objects.filter(pk=self.life.manager.pk).update(is_active=number % 4 != 3)
        self.life.manager = User.objects.get(pk=self.life.manager.pk)

    def pause(self, _: int) -> None:
        release_acts.pause(release_id=self._release(), user=self.life.operator)

    def resume(self, _: int) -> None:
        release_acts.resume(release_id=self._release(), user=self.life.operator)

    def cancel(self, number: int) -> None:
        if number % 4 == 3:
            release_acts.cancel(release_id=self._release(), user=self.life.operator)

    def set_share(self, number: int) -> None:
        shares.set_share(release_id=self._release(), share=number, user=self.life.operator)

    def add_address(self, number: int) -> None:
        canary_addresses.add_address(
            release_id=self._release(), address=f"203.0.113.{number}", user=self.life.operator
        )

    def retry(self, _: int) -> None:
        release_acts.retry(step_id=self._acting().pk, user=self.life.operator)

    def skip(self, _: int) -> None:
        release_acts.skip(step_id=self._acting().pk, user=self.life.operator)

    def skip_bake(self, _: int) -> None:
        step = selectors.current_step(self.life.service) or self._acting()
        release_acts.skip_bake(step_id=step.pk, user=self.life.operator)

    def prepare(self, number: int) -> None:
        preparation.prepare(
            service_id=self._service(), user=self.life.operator, gives_up_old_version=number < 50
        )

    def roll_back(self, number: int) -> None:
        if number % 3 == 2:
            self.life.roll_back()

    def change_settings(self, number: int) -> None:
        wanted = replace(
            recorded_settings(Service.objects.get()),
            stickiness_seconds=number % 2 * 60,
            tags={"number": str(number % 3)},
        )
        settings_runs.request_settings(
            service_id=self._service(), user=self.keeper, wanted=wanted, reason="Why not"
        )

    def remove(self, number: int) -> None:
        if number % 20 == 19:
            removals.request_removal(
                service_id=self._service(),
                user=self.keeper,
                typed_name=self.life.service.name,
                reason="Nobody needs it",
                gives_up_requests=True,
            )

    def call_off(self, number: int) -> None:
        if number % 4 == 3:
            managed.cancel(step_id=self._own().pk, user=self._keeper_or_operator(number))

    def try_again(self, number: int) -> None:
        managed.retry(step_id=self._own().pk, user=self._keeper_or_operator(number))

    def _keeper_or_operator(self, number: int) -> User:
        return self.life.operator if number % 2 else self.keeper

    def _service(self) -> UUID:
        return self.life.service.pk

    def _release(self) -> UUID:
        release = Release.objects.order_by("-number").first()
        return release.pk if release else _refused()

    def _own(self) -> Step:
        return selectors.own_step(self.life.service) or _refused()

    def _acting(self) -> Step:
        return facts.acting_step(self.life.service) or _refused()

    def _shown(self) -> dict[str, Any]:
        step = facts.acting_step(self.life.service) or self._own()
        run = step.plan_run or _refused()
        shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
        return {"step_id": step.pk, "shown": shown}


def _refused() -> Never:
    raise ActRefused("walk:nothing-there", "There is nothing to do that with.")
