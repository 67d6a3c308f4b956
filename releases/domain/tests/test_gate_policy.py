from types import MappingProxyType

import pytest

from releases.domain.access.roles import Role
from releases.domain.approval.freezes import parse_window
from releases.domain.approval.gate_policy import (
    DEFAULT,
    LONGEST_SECONDS,
    AfterWait,
    Gate,
    GateRule,
    InvalidPolicy,
    Need,
    Policy,
    from_columns,
    gate_of,
    makers,
    own_columns,
    parse_slots,
    to_columns,
)
from releases.domain.approval.slots import ANYBODY, Slot
from releases.domain.traffic import ROTATIONS, Transition

SRE = Slot(groups=frozenset({"SRE", "On call"}))
MANAGER = Slot(roles=frozenset({Role.MANAGER}))
WEEKEND = "Fri 16:00 - Mon 08:00 Europe/Berlin: Weekend"
NIGHT = "Mon-Sun 00:00 - 06:00 UTC: Night"
STRICT = Policy(
    gates=MappingProxyType({Gate.PROMOTE: GateRule(need=Need.ALWAYS, slots=(ANYBODY, SRE, MANAGER))}),
    four_eyes=False,
    one_gate_each=True,
    approval_seconds=3600,
    wait_seconds=60,
    after_wait=AfterWait.CANCEL,
    freezes=(parse_window(WEEKEND),),
    allowed_hours=(parse_window("Mon-Fri 09:00 - 17:00 UTC"),),
    ticket=True,
    break_glass=(SRE, MANAGER),
)


def test_the_usual_policy_is_one_approver_who_is_somebody_else():
    assert from_columns() == DEFAULT
    assert DEFAULT.four_eyes
    assert DEFAULT.rule(Gate.PROMOTE).slots == (ANYBODY,)
    assert to_columns(DEFAULT) == {}


def test_a_policy_is_kept_and_read_again():
    assert from_columns(to_columns(STRICT)) == STRICT


@pytest.mark.parametrize(
    ("need", "planned", "needed"),
    [
        (Need.AS_PLANNED, True, True),
        (Need.AS_PLANNED, False, False),
        (Need.ALWAYS, False, True),
        (Need.NEVER, True, False),
    ],
)
def test_whether_an_approval_is_needed(need, planned, needed):
    policy = Policy(gates={Gate.SHIFT: GateRule(need=need)})
    assert policy.needs_approval(Gate.SHIFT, planned=planned) is needed


def test_rotations_set_ups_and_rollbacks_have_no_gate_that_a_policy_sets():
    without = {transition for transition in Transition if gate_of(transition) is None}
    assert without == {*ROTATIONS, Transition.SET_UP, Transition.ROLLBACK}


def test_a_service_keeps_only_what_is_its_own_and_the_rest_follows_its_environment():
    defaults = to_columns(Policy(approval_seconds=60, four_eyes=False))
    wanted = to_columns(Policy(approval_seconds=60, wait_seconds=5))
    own = own_columns(wanted, defaults)
    assert own == {"four_eyes": True, "wait_seconds": 5}
    assert from_columns(defaults, own) == Policy(approval_seconds=60, wait_seconds=5)
    assert from_columns({"approval_seconds": 90}, own).approval_seconds == 90


def test_a_gate_of_a_service_takes_the_place_of_its_environment_s_the_other_gates_stay():
    defaults = to_columns(
        Policy(gates={Gate.SHIFT: GateRule(need=Need.ALWAYS), Gate.PROMOTE: GateRule(slots=(SRE,))})
    )
    wanted = to_columns(Policy(gates={Gate.PROMOTE: GateRule(slots=(SRE,))}))
    policy = from_columns(defaults, own_columns(wanted, defaults))
    assert policy.rule(Gate.SHIFT) == GateRule()
    assert policy.rule(Gate.PROMOTE).slots == (SRE,)


def test_freezes_of_the_environment_hold_whatever_a_service_has_of_its_own():
    own = own_columns({"freezes": [NIGHT]}, {"freezes": [WEEKEND]})
    policy = from_columns({"freezes": [WEEKEND]}, own)
    assert [window.text for window in policy.freezes] == [WEEKEND, NIGHT]


@pytest.mark.parametrize(
    ("lines", "slots"),
    [
        (["anybody"], (ANYBODY,)),
        (["anybody", "SRE or On call"], (ANYBODY, SRE)),
        (["Corridor"], (Slot(groups=frozenset({"Corridor"})),)),
        (["the role manager", "The role Manager"], (MANAGER, MANAGER)),
        (["SRE or the role admin"], (Slot(groups=frozenset({"SRE"}), roles=frozenset({Role.ADMIN})),)),
        (["manager"], (Slot(groups=frozenset({"manager"})),)),
    ],
)
def test_places_are_written_a_line_each(lines, slots):
    assert parse_slots(Gate.SHIFT, lines) == slots
    assert parse_slots(Gate.SHIFT, [str(slot) for slot in slots]) == slots


@pytest.mark.parametrize(
    "lines", [[], ["anybody"] * 6, ["SRE or "], ["x" * 151], [" or ".join("abcdefghijk")], ["the role boss"]]
)
def test_places_that_cannot_be_are_refused_at_their_field(lines):
    with pytest.raises(InvalidPolicy) as refused:
        parse_slots(Gate.SHIFT, lines)
    assert refused.value.field == "shift"


@pytest.mark.parametrize(
    ("kept", "field"),
    [
        ({"approval_seconds": -1}, "approval_seconds"),
        ({"wait_seconds": LONGEST_SECONDS + 1}, "wait_seconds"),
        ({"freezes": ["always"]}, "freezes"),
        ({"allowed_hours": ["never"]}, "allowed_hours"),
        ({"gates": {"settings": {"need": "never", "slots": ["anybody"]}}}, "settings"),
        ({"break_glass": ["anybody"]}, "break_glass"),
        ({"break_glass": ["SRE"] * 11}, "break_glass"),
        ({"break_glass": ["the role boss"]}, "break_glass"),
        ({"colour": 1}, ""),
    ],
)
def test_a_policy_that_cannot_be_is_refused_at_its_field(kept, field):
    with pytest.raises(InvalidPolicy) as refused:
        from_columns(kept)
    assert refused.value.field == field


def test_who_made_each_part_that_decides_who_passes_is_remembered_until_that_part_is_changed():
    off, shift = {"four_eyes": False}, {"gates": {"shift": {"need": "never", "slots": ["anybody"]}}}
    by_rita = makers({}, {}, off, changed_by="rita")
    assert by_rita == {"four_eyes": "rita"}
    assert makers(by_rita, off, off | {"ticket": True}, changed_by="kim") == by_rita
    both = makers(by_rita, off, off | shift, changed_by="kim")
    assert both == {"four_eyes": "rita", "gates.shift": "kim"}
    assert makers(both, off | shift, shift, changed_by="kim")["four_eyes"] == "kim"
    assert makers(both, off | shift, off, changed_by="rita")["gates.shift"] == "rita"
