"""One run from beginning to end: make a working directory, plan or apply in it, hand back what came of it.

It knows nothing of releases, approvals or the database: what it is to run, with what, and who follows it are given.

Below ``data_root`` are ``working/`` (one folder for each run), ``prepared/`` (what ``init`` made) and ``providers/``
(Terraform's cache, where there is no mirror). Plans and states are where the settings and the workspace say, on this
machine or not; the dependency lock file is kept beside the state: the first ``init`` makes it, and every later run
takes exactly the providers which it names.
"""

import errno
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from terraform_runner import cli, prepared, private_files, working_dir
from terraform_runner.cli import Installation, Terraform
from terraform_runner.domain.diff import summarize
from terraform_runner.domain.plan import Plan, changes_digest, parse_plan
from terraform_runner.domain.plan_document import mask_document
from terraform_runner.domain.redaction import MASK, Redactor
from terraform_runner.domain.results import Applied, Planned
from terraform_runner.domain.state_identity import StateIdentity, check_pushable, check_state, identify
from terraform_runner.domain.tainted import tainted
from terraform_runner.domain.tools import Tools
from terraform_runner.errors import HoldLost, RunnerError, StateUnsaved, StorageFailed
from terraform_runner.objects import Objects
from terraform_runner.plan_store import PlanStore
from terraform_runner.points import Point, reached
from terraform_runner.process import Control, Limits
from terraform_runner.state import STATE_FILE, State
from terraform_runner.working_dir import LOCK_FILE, WorkingDirectory

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True, kw_only=True)
class UnsavedState:
    """A state that an earlier run could not write, kept at ``place``; ``settled`` is called when it is stored."""

    content: bytes
    place: str
    settled: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What Terraform runs on.

    ``root`` is the root module (``main.tf.json``) without a backend, ``variables`` its ``service.auto.tfvars.json``,
    ``modules`` are copied to ``./modules/<name>``. ``environment`` are the only variables beyond the allow-list.
    ``secrets``, and the values of variables which ``root`` declares as sensitive, are masked wherever they appear.
    ``last_state`` is who the state was after the last run; another one is refused. An ``unsaved`` one is pushed first.
    With ``forgets_tainted`` a plan leaves out of the state what was interrupted while it was made, so that it is not
    replaced: for those whose root imports what is there.
    """

    key: str
    root: Mapping[str, Any]
    variables: Mapping[str, Any]
    modules: Mapping[str, Path]
    environment: Mapping[str, str]
    state: State
    secrets: tuple[str, ...]
    last_state: StateIdentity | None = None
    unsaved: UnsavedState | None = None
    forgets_tainted: bool = False


@dataclass(frozen=True, kw_only=True)
class RunnerSettings:
    """How Terraform is run on this machine.

    Without ``binary`` it is the one on PATH, without ``mirror`` providers come from their registry. The time limit
    is for a whole run; the grace is from SIGINT to SIGKILL. A state that Terraform could not write goes to
    ``unsaved_states`` under its run's id, for the next run of the workspace to push.
    """

    binary: str | None
    data_root: Path
    plans: PlanStore
    unsaved_states: Objects
    mirror: Path | None
    time_limit_seconds: float
    grace_seconds: float
    lock_timeout_seconds: int
    keep_prepared_seconds: float = 30 * 86_400


def plan(*, run_id: UUID, workspace: Workspace, settings: RunnerSettings, control: Control) -> Planned:
    """Make a plan, keep it and its JSON in the plan store, and say what it changes. Raises RunnerError."""
    with _prepared(run_id, workspace, settings, control) as terraform:
        if workspace.forgets_tainted:
            _forget_tainted(terraform, workspace)
        control.begins(terraform.tools("plan"))
        terraform.plan()
        document = terraform.show()
        reached(Point.PLAN_MADE)
        store = settings.plans
        kept = mask_document(document, terraform.redactor)
        made = parse_plan(document)
        planned = Planned(
            plan=made,
            plan_sha256=store.put(terraform.directory.plan_file.read_bytes()),
            document_sha256=store.put(json.dumps(kept).encode()),
            changes_digest=changes_digest(made),
            changes=summarize(parse_plan(kept)),
            state=_check_state(terraform.installation, workspace),
        )
        reached(Point.PLAN_KEPT)
        return planned


def apply(
    *,
    run_id: UUID,
    plan_sha256: str,
    document_sha256: str,
    workspace: Workspace,
    settings: RunnerSettings,
    control: Control,
    before_apply: Callable[[Plan], None],
    wants_outputs: bool,
) -> Applied:
    """Apply a plan of the store, after ``before_apply`` had a last look at it, which may raise.

    Reading the outputs takes another start of Terraform, so it is only done where somebody wants them.

    Raises RunnerError. If Terraform could not write the state after it had changed something, the state is kept,
    encrypted, and the message says where.
    """
    with _prepared(run_id, workspace, settings, control) as terraform:
        store = settings.plans
        store.copy_to(plan_sha256, terraform.directory.plan_file)
        control.begins(terraform.tools("apply"))
        reached(Point.BEFORE_CHECK)
        before_apply(parse_plan(store.read_json(document_sha256)))
        reached(Point.PLAN_USED)
        terraform.apply()
        reached(Point.APPLIED)
        written = _check_state(terraform.installation, workspace)
        if not wants_outputs:
            return Applied(outputs={}, state=written)
        # What is done is done: its outputs are read even if the run was asked to stop meanwhile.
        limits = Limits(
            deadline=time.monotonic() + settings.time_limit_seconds, grace_seconds=settings.grace_seconds
        )
        outputs = replace(terraform, limits=limits, control=_Unstoppable(control)).output()
    return Applied(
        outputs={name: MASK if item["sensitive"] else item["value"] for name, item in outputs.items()},
        state=written,
    )


def put_away(run_id: UUID, settings: RunnerSettings) -> str | None:
    """Remove what is left of a run on this machine. A state that is nowhere else is kept, encrypted: says where.

    Where it can't be kept now it stays where Terraform has left it, for whoever comes by later.
    """
    errored = working_dir.unsaved_state(settings.data_root, run_id)
    place = None
    if errored is not None:
        try:
            settings.unsaved_states.put(str(run_id), errored.read_bytes())
        except OSError:
            return str(errored)
        place = settings.unsaved_states.place(str(run_id))
    working_dir.discard(settings.data_root, run_id)
    return place


@dataclass(frozen=True)
class _Unstoppable:
    """A control that passes everything on but the wish to stop."""

    control: Control

    def lines(self, lines: list[str]) -> None:
        self.control.lines(lines)

    def should_stop(self) -> str | None:
        return None

    def holds_until(self) -> float:
        return self.control.holds_until()

    def process_started(self, group: int, started: float) -> None:
        self.control.process_started(group, started)

    def begins(self, tools: Tools) -> None:
        self.control.begins(tools)


@contextmanager
def _prepared(
    run_id: UUID, workspace: Workspace, settings: RunnerSettings, control: Control
) -> Iterator[Terraform]:
    """Terraform in a working directory of this run, initialised; the directory is removed afterwards."""
    installation = cli.find_terraform(settings.binary)
    _check_state(installation, workspace)
    with _put_away_afterwards(run_id, settings):
        directory = working_dir.make(settings.data_root, run_id)
        _render(directory, workspace, settings)
        deadline = time.monotonic() + settings.time_limit_seconds
        terraform = Terraform(
            installation=installation,
            directory=directory,
            environment=cli.environment(directory, workspace.environment),
            limits=Limits(deadline=deadline, grace_seconds=settings.grace_seconds),
            lock_timeout_seconds=settings.lock_timeout_seconds,
            control=control,
            redactor=Redactor(_secrets(workspace)),
        )
        _initialise(terraform, workspace, settings)
        _push_unsaved(terraform, workspace)
        yield terraform


@contextmanager
def _put_away_afterwards(run_id: UUID, settings: RunnerSettings) -> Iterator[None]:
    try:
        yield
    except RunnerError as error:
        place = put_away(run_id, settings)
        if place is None or isinstance(error, HoldLost):
            raise
        raise StateUnsaved(
            f"{error.message}\nThe state could not be written. It is kept in {place}, and the next run pushes it.",
            exit_code=error.exit_code,
        ) from error
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise StorageFailed(
            f"{error.strerror} below {settings.data_root}. Make room there, then try again."
        ) from error
    finally:
        put_away(run_id, settings)


def _render(directory: WorkingDirectory, workspace: Workspace, settings: RunnerSettings) -> None:
    state = workspace.state
    state.prepare()
    root = _with_backend(workspace.root, state.backend)
    working_dir.render(directory, root=root, variables=workspace.variables, modules=workspace.modules)
    cache_folder = private_files.make_private_directory(settings.data_root / "providers")
    configuration = cli.cli_configuration(mirror=settings.mirror, cache_folder=cache_folder)
    private_files.write_new(directory.cli_config, configuration)
    if state.credentials:
        private_files.write_new(directory.state_credentials, state.credentials)
    kept_lock_file = state.objects.get(LOCK_FILE)
    if kept_lock_file is not None:
        private_files.write_new(directory.lock_file, kept_lock_file)


def _check_state(installation: Installation, workspace: Workspace) -> StateIdentity | None:
    """Terraform itself would take a state that is gone, or another one, for a service that is yet to be made."""
    objects = workspace.state.objects
    return check_state(
        objects.get(STATE_FILE),
        expected=workspace.last_state,
        terraform_version=installation.version,
        place=objects.place(STATE_FILE),
    )


def _secrets(workspace: Workspace) -> Iterator[str]:
    yield from workspace.secrets
    for name, declared in workspace.root.get("variable", {}).items():
        value = workspace.variables.get(name)
        if declared.get("sensitive") and isinstance(value, str):
            yield value


def _with_backend(root: Mapping[str, Any], backend: Mapping[str, Any]) -> dict[str, Any]:
    return {**root, "terraform": {**root.get("terraform", {}), "backend": backend}}


def _initialise(terraform: Terraform, workspace: Workspace, settings: RunnerSettings) -> None:
    """Take the data directory which an earlier run prepared; if none fits, ``init`` and keep what that makes."""
    directory, version = terraform.directory, terraform.installation.version
    digest = prepared.digest_of(directory, terraform_version=version)
    if prepared.take(settings.data_root, digest, directory.data):
        return
    with prepared.one_at_a_time(settings.data_root, while_waiting=terraform.raise_if_stopped):
        terraform.init()
    if directory.lock_file.exists():  # none where only built-in providers are used
        workspace.state.objects.put(LOCK_FILE, directory.lock_file.read_bytes())
    digest = prepared.digest_of(directory, terraform_version=version)
    prepared.keep(settings.data_root, digest, directory.data, unused_seconds=settings.keep_prepared_seconds)


def _forget_tainted(terraform: Terraform, workspace: Workspace) -> None:
    state = workspace.state.objects.get(STATE_FILE)
    if state and (addresses := tainted(state)):
        terraform.forget(addresses)


def _push_unsaved(terraform: Terraform, workspace: Workspace) -> None:
    """Planned from the stored state, the run would not know of what the earlier one had made."""
    unsaved = workspace.unsaved
    if unsaved is None:
        return
    found = identify(unsaved.content, unsaved.place)
    stored = _check_state(terraform.installation, workspace)
    if found != stored:  # or a person has put it there
        check_pushable(found, stored, place=unsaved.place)
        private_files.write_new(terraform.directory.unsaved_state, unsaved.content)
        terraform.push_state(terraform.directory.unsaved_state)
    unsaved.settled()
