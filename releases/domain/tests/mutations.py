"""One change to a good plan, never one that leaves the plan's meaning as it was."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from releases.domain.plans.guard_table import RECORDED, may_change
from releases.domain.tests.real_plans import PREFIX, Document, document, expectation
from releases.domain.traffic import Transition

Path = tuple[str | int, ...]


@dataclass(frozen=True, repr=False)
class Mutation:
    """A plan's document after a change, and what was changed: only this is shown when a test fails."""

    what: str
    document: Document

    def __repr__(self) -> str:
        return f"Mutation({self.what})"


SETS_AN_ALIAS = {
    *("set_up", "first_rotation", "rotate_stable", "rotate_candidate"),
    *("swapped_rotation", "swapped_copy", "swapped_candidate"),
    *("set_up_configured", "configure", "reconfigure", "unconfigure"),
    *("set_up_complete", "set_up_given_role"),
}
ACTIONS = [["no-op"], ["create"], ["read"], ["update"], ["delete"], ["delete", "create"], ["forget"]]
EXTRAS: dict[str, Any] = {
    "replace_paths": [["image_uri"]],
    "importing": {"id": "nginx-lambda-blue"},
}
OUTER_EXTRAS = {
    "previous_address": "aws_lambda_function.old",
    "deposed": "0a1b2c3d",
    "action_reason": "tainted",
}
WHOLE_PLAN: dict[str, Any] = {
    "errored": True,
    "complete": False,
    "deferred_changes": [{"reason": "resource_config_unknown"}],
    "checks": [{"address": {"to_display": "check.health"}, "status": "fail"}],
    "action_invocations": [{"address": "action.aws_lambda_invoke.x"}],
    "configuration": {},
}


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where a value has something that can be replaced: scalars and empty containers."""
    children = (
        enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    )
    for key, inner in children:
        yield from leaves(inner, (*path, key))
    if not isinstance(value, list | dict) or not value:
        yield path


def other(value: Any) -> Any:
    """A value of the same kind that isn't this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return {"x": "x"} if value == {} else ["x"] if value == [] else f"{value or ''}x"


def replace_at(container: Any, path: Path) -> None:
    """Put another value where the path leads."""
    for key in path[:-1]:
        container = container[key]
    container[path[-1]] = other(container[path[-1]])


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Mutation:
    """A good plan with one thing changed, and a word for what."""
    shown = document(name)
    if draw(st.integers(0, 9)) == 0:
        return draw(_whole_plan(name, shown))
    item = draw(st.sampled_from(shown["resource_changes"]))
    kind = draw(st.sampled_from(sorted(_KINDS)))
    what = f"{kind} of {item['address']}: {_KINDS[kind](draw, name, item)}"
    return Mutation(what, shown)


@st.composite
def _whole_plan(draw: st.DrawFn, name: str, shown: Document) -> Mutation:
    changes = shown["resource_changes"]
    kinds = {*WHOLE_PLAN, "applyable", "missing", "twice", "new"}
    if name not in SETS_AN_ALIAS:
        kinds -= {"configuration"}
    if name == "shift_lost":
        kinds -= {"applyable"}  # which it is not, and needn't be: it changes nothing
    kind = draw(st.sampled_from(sorted(kinds)))
    if kind == "missing":
        changes.remove(draw(st.sampled_from([item for item in changes if "aws_iam" not in item["address"]])))
    elif kind == "twice":
        changes.append(draw(st.sampled_from(changes)))
    elif kind == "new":
        changes.append({**changes[0], "address": f"{PREFIX}aws_iam_role.other", "name": "other"})
    else:
        shown[kind] = WHOLE_PLAN.get(kind, False)
    return Mutation(kind, shown)


def _action(draw: st.DrawFn, name: str, item: Document) -> str:
    item["change"]["actions"] = draw(st.sampled_from([a for a in ACTIONS if a != item["change"]["actions"]]))
    return str(item["change"]["actions"])


def _identity(draw: st.DrawFn, name: str, item: Document) -> str:
    key = draw(st.sampled_from(["address", "type", "name", "mode", "module_address", "provider_name"]))
    item[key] = "data" if key == "mode" else draw(st.sampled_from([f"{item[key]}x", f"x{item[key]}x", "x"]))
    return f"{key} {item[key]}"


def _extra(draw: st.DrawFn, name: str, item: Document) -> str:
    key = draw(st.sampled_from([*EXTRAS, *OUTER_EXTRAS]))
    if key in EXTRAS:
        item["change"][key] = EXTRAS[key]
    else:
        item[key] = OUTER_EXTRAS[key]
    return str(key)


def _after(draw: st.DrawFn, name: str, item: Document) -> str:
    after = item["change"]["after"]
    path = draw(st.sampled_from([path for path in leaves(after) if not _means_nothing(path, after)]))
    replace_at(after, path)
    return str(path)


def _before(draw: st.DrawFn, name: str, item: Document) -> str:
    if item["change"]["before"] is None:
        item["change"]["before"] = {"id": "x"}
        return "there already"
    before = item["change"]["before"]
    paths = [path for path in leaves(before) if not _may_be_anything(name, item, path)]
    path = draw(st.sampled_from([path for path in paths if not _means_nothing(path, before)]))
    replace_at(before, path)
    return str(path)


def _may_be_anything(name: str, item: Document, path: Path) -> bool:
    """What an update decides, and what a rollback sets right, is compared with reality, not by the guard."""
    place = (item["address"].removeprefix(PREFIX), _VIEWED_AS.get(_block_of(path), path[0]))
    expected = expectation(name)
    rolls_back = expected.transition is Transition.ROLLBACK
    return place in may_change(expected) and (rolls_back or place not in RECORDED)


_VIEWED_AS = {"target_group": "weights", "stickiness": "stickiness", "source_ip": "source addresses"}


def _block_of(path: Path) -> str:
    """The block of a rule's actions or conditions that a path leads into."""
    return next((str(key) for key in path if key in _VIEWED_AS), "")


def _means_nothing(path: Path, values: Any) -> bool:
    """The duration of a stickiness that is off."""
    for key in path[:-1]:
        values = values[key]
    return "stickiness" in path and path[-1] == "duration" and not values["enabled"]


def _unknown(draw: st.DrawFn, name: str, item: Document) -> str:
    change = item["change"]
    known = [key for key in change["after"] if change["after_unknown"].get(key) is not True]
    key = draw(st.sampled_from(known))
    change["after_unknown"] = {**change["after_unknown"], key: True}
    return str(key)


def _known(draw: st.DrawFn, name: str, item: Document) -> str:
    """Something that is unknown becomes neither known nor unknown."""
    unknown = [key for key, value in item["change"]["after_unknown"].items() if value is True]
    if not unknown or "aws_iam" in item["address"]:
        return _unknown(draw, name, item)
    key = draw(st.sampled_from(unknown))
    del item["change"]["after_unknown"][key]
    return str(key)


def _sensitive(draw: st.DrawFn, name: str, item: Document) -> str:
    side = draw(st.sampled_from(["before", "after"]))
    key = draw(st.sampled_from(list(item["change"]["after"])))
    marks = item["change"][f"{side}_sensitive"] or {}
    item["change"][f"{side}_sensitive"] = {**marks, key: True}
    return f"{side} {key}"


_KINDS: dict[str, Callable[[st.DrawFn, str, Document], str]] = {
    "action": _action,
    "identity": _identity,
    "extra": _extra,
    "after": _after,
    "before": _before,
    "unknown": _unknown,
    "known": _known,
    "sensitive": _sensitive,
}
