import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.canary import (
    CanaryHeader,
    check_addresses,
    check_room,
    check_single,
    internal,
    is_in,
    lay_out,
    parse_addresses,
    room_in_rule,
)
from releases.domain.errors import InvalidCanary
from releases.domain.provisioning.settings import MOST_SLOTS
from releases.domain.traffic import NOBODY

SECRET = "abcdefgh_12345678"


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(InvalidCanary) as refused:
        parse_addresses(text)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", ()),
        (" , \n", ()),
        ("203.0.113.7", ("203.0.113.7/32",)),
        ("2001:DB8:0:0::7", ("2001:db8::7/128",)),
        ("203.0.113.0/24", ("203.0.113.0/24",)),
        ("203.0.113.0/255.255.255.0", ("203.0.113.0/24",)),
        ("::ffff:203.0.113.7", ("203.0.113.7/32",)),
        ("::ffff:203.0.113.0/120", ("203.0.113.0/24",)),
        (
            "203.0.113.9\n2001:db8::/48,,198.51.100.1",
            ("203.0.113.9/32", "2001:db8::/48", "198.51.100.1/32"),
        ),
    ],
)
def test_addresses_are_read_in_any_order_and_form(text, addresses):
    assert parse_addresses(text) == addresses


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.0.0.0/0", "canary:everyone"),
        ("::/0", "canary:everyone"),
        ("::ffff:0.0.0.0/96", "canary:everyone"),
        ("0.0.0.0/1", "canary:too-wide"),
        ("128.0.0.0/7", "canary:too-wide"),
        ("2000::/3", "canary:too-wide"),
        ("203.0.113.7/24", "canary:host-bits"),
        ("2001:db8::7/64", "canary:host-bits"),
        ("203.0.113.7, 203.0.113.7", "canary:twice"),
        ("203.0.113.7, ::ffff:203.0.113.7", "canary:twice"),
        ("203.0.113.7, 203.0.113.0/24", "canary:twice"),
        ("203.0.113.0/24, 203.0.113.7", "canary:twice"),
        ("192.0.2.1", "canary:nobody"),
        ("0.0.0.0", "canary:nobody"),
        ("224.0.0.1", "canary:nobody"),
        ("fe80::1%eth0", "canary:nobody"),
        ("somebody", "canary:address"),
        ("203.0.113", "canary:address"),
        ("203.0.113.7/33", "canary:address"),
        ("203.0.113.٣", "canary:address"),
        ("203.0.113.07", "canary:address"),
        ("${path.root}", "canary:address"),
        ("1" * 5000, "canary:too-many"),
    ],
)
def test_what_is_no_address_of_a_few_is_refused(text, code):
    assert refusal(text)[0] == code


def test_a_refusal_says_what_to_write_instead():
    assert refusal("203.0.113.7/24")[1] == (
        "“203.0.113.7/24” is neither one address nor a whole network: write 203.0.113.0/24 for the network, or "
        "203.0.113.7 for the one address."
    )
    assert "shift a share of the users" in refusal("0.0.0.0/0")[1]
    assert refusal("203.0.113.7, 203.0.113.0/24")[1] == (
        "203.0.113.7/32 is in 203.0.113.0/24 already: leave it out."
    )


def test_a_refusal_repeats_no_more_than_the_beginning_of_what_was_typed():
    assert len(refusal("x" * 3999)[1]) < 200


def test_an_address_that_is_added_is_a_single_one():
    assert check_single(" 203.0.113.7 ") == "203.0.113.7/32"
    assert check_single("2001:db8::7") == "2001:db8::7/128"
    for text in ("203.0.113.0/31", "2001:db8::/64", "", "203.0.113.7, 203.0.113.8"):
        with pytest.raises(InvalidCanary):
            check_single(text)


def test_addresses_of_internal_networks_are_told_from_those_on_the_internet():
    addresses = ("10.1.0.0/16", "203.0.113.7/32", "fd00::1/128", "2001:db8::/48", "127.0.0.9/32")
    assert internal(addresses) == ("10.1.0.0/16", "fd00::1/128")


def test_an_address_may_be_in_a_network_that_is_there():
    assert is_in("203.0.113.7/32", ["2001:db8::/48", "203.0.113.0/24"])
    assert not is_in("203.0.113.7/32", ["203.0.113.8/32", "2001:db8::/48"])


@pytest.mark.parametrize(
    ("hostnames", "paths", "room"),
    [
        ([], [], 3),
        (["a.example.com"], [], 3),
        (["a.example.com", "b.example.com"], [], 3),
        (["a.example.com", "b.example.com", "c.example.com"], [], 2),
        (["a.example.com", "a.example.com", "c.example.com"], [], 3),
        (["a.example.com"], ["/a/*", "/b/*"], 2),
        ([], ["/a/*", "/b/*", "/c/*"], 2),
        (["a", "b", "c"], ["/a", "/b"], 0),
    ],
)
def test_a_rule_has_room_for_five_values_in_all_and_three_addresses(hostnames, paths, room):
    assert room_in_rule(hostnames, paths) == room


def test_more_addresses_than_there_is_room_for_are_refused_with_what_to_do():
    check_room(["a"] * 6, slots=2, room=3)
    with pytest.raises(InvalidCanary) as refused:
        check_room(["a"] * 7, slots=2, room=3)
    assert refused.value.message.startswith(
        "These are 7 addresses, and there is room for 6: 2 rules with 3 each."
    )
    with pytest.raises(InvalidCanary, match="room for 2: 1 rule with 2 each"):
        check_room(["a"] * 3, slots=1, room=2)


addresses = st.lists(
    st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str), max_size=MOST_SLOTS * 3, unique=True
)


@given(addresses, st.integers(1, MOST_SLOTS), st.integers(1, 3))
def test_every_address_that_there_is_room_for_has_its_place_in_one_rule(wanted, slots, room):
    wanted = wanted[: slots * room]
    rules = lay_out(wanted, slots=slots, room=room)
    assert len(rules) == slots
    assert [address for rule in rules for address in rule if address != NOBODY] == wanted
    assert all(len(rule) <= room for rule in rules)
    assert all(rule == (NOBODY,) or NOBODY not in rule for rule in rules)


@given(st.lists(st.ip_addresses().map(str), max_size=5))
def test_what_was_accepted_once_is_accepted_as_it_is(wanted):
    try:
        accepted = check_addresses(wanted)
    except InvalidCanary:
        return
    assert check_addresses(accepted) == accepted
    assert parse_addresses(", ".join(accepted)) == accepted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", SECRET),
        ("X Canary", SECRET),
        ("X-Canary\n", SECRET),
        ("X-Canäry", SECRET),
        ("X" * 41, SECRET),
        ("Host", SECRET),
        ("x-forwarded-for", SECRET),
        ("Cookie", SECRET),
        ("X-Canary", ""),
        ("X-Canary", "short"),
        ("X-Canary", SECRET + "*"),
        ("X-Canary", SECRET + "?"),
        ("X-Canary", "${var.secret_value_1}"),
        ("X-Canary", "x" * 129),
    ],
)
def test_a_header_that_others_set_or_guess_is_refused(name, value):
    with pytest.raises(InvalidCanary) as refused:
        CanaryHeader(name=name, value=value)
    assert SECRET not in refused.value.message


def test_a_header_does_not_show_its_value():
    header = CanaryHeader(name="X-Canary", value=SECRET)
    assert SECRET not in repr(header)
