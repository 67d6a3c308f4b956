"""Where nothing is sent to (FAULTS P11)."""

import pytest

from releases.domain.messaging.outgoing import InvalidTarget, Target, check_addresses, parse_target

HOOK = parse_target("https://hooks.example/services/T0/B0?x=1")
SANDBOX = parse_target("http://127.0.0.1:5000/-/sandbox/webhook", allow_loopback=True)


def test_an_address_is_taken_apart():
    assert Target(scheme="https", host="hooks.example", port=443, path="/services/T0/B0?x=1") == HOOK
    assert parse_target("https://[2606:4700::1]:8443").port == 8443


@pytest.mark.parametrize(
    "text",
    [
        "http://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "//hooks.example/",
        "hooks.example",
        "",
        "https://",
        "https:///path",
        "https://rosa:pw@hooks.example/",
        "https://hooks.example@127.0.0.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://hooks.example:0x50/",
        "https://hooks.example:99999/",
        "https://hooks.example/\r\nHost: x",
        "https://hooks.example\\@127.0.0.1/",
        "https://h\u043eoks.example/",
        f"https://hooks.example/{'x' * 500}",
    ],
)
def test_what_is_no_https_address_of_a_host_is_refused(text):
    with pytest.raises(InvalidTarget):
        parse_target(text)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)
def test_an_address_inside_is_never_connected_to_whatever_others_the_name_has(address):
    with pytest.raises(InvalidTarget):
        check_addresses(HOOK, [address])
    with pytest.raises(InvalidTarget):
        check_addresses(HOOK, ["8.8.8.8", address])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:808:808"])
def test_an_address_outside_is_connected_to(address):
    assert check_addresses(HOOK, [address]) == address


def test_a_name_without_an_address_is_refused():
    with pytest.raises(InvalidTarget):
        check_addresses(HOOK, [])


def test_the_sandbox_is_on_this_machine_alone_and_only_where_it_is_allowed():
    assert check_addresses(SANDBOX, ["127.0.0.1"], allow_loopback=True) == "127.0.0.1"
    for addresses in (["8.8.8.8"], ["10.0.0.1"], ["127.0.0.1", "8.8.8.8"]):
        with pytest.raises(InvalidTarget):
            check_addresses(SANDBOX, addresses, allow_loopback=True)
    with pytest.raises(InvalidTarget):
        check_addresses(SANDBOX, ["127.0.0.1"])
    with pytest.raises(InvalidTarget):
        check_addresses(HOOK, ["10.0.0.1"], allow_loopback=True)
