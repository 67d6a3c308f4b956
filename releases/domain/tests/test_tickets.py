import pytest

from releases.domain.tickets import InvalidTicket, address_of, check_ticket


@pytest.mark.parametrize("ticket", ["https://tickets.example.com/PAY-88", "http://10.0.0.1/1?a=b"])
def test_an_address_leads_there(ticket):
    assert address_of(check_ticket(ticket, is_needed=True)) == ticket


@pytest.mark.parametrize(
    "ticket",
    [
        *(
            "PAY-88",
            "javascript:alert(1)",
            "JAVASCRIPT://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
        ),
        *("//evil.example", "https://", "ftp://x/1", "https://[broken", "https://a b"),
    ],
)
def test_anything_else_is_text(ticket):
    assert check_ticket(ticket, is_needed=True) == ticket
    assert address_of(ticket) == ""


def test_none_is_needed_unless_the_policy_says_so():
    assert check_ticket("  ", is_needed=False) == ""
    with pytest.raises(InvalidTicket, match="names its ticket"):
        check_ticket("  ", is_needed=True)


@pytest.mark.parametrize("ticket", ["PAY-88\nPAY-89", "a\x00b", "x" * 301])
def test_more_than_a_line_is_refused(ticket):
    with pytest.raises(InvalidTicket, match="one line"):
        check_ticket(ticket, is_needed=False)
