import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.domain.redaction import MASK, SHORTEST_SECRET, Redactor

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'),
    min_size=SHORTEST_SECRET,
    max_size=40,
)
ACCESS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"


@given(
    secrets=st.lists(SECRETS, min_size=1, max_size=3),
    between=st.lists(st.text(max_size=10), min_size=4, max_size=4),
)
def test_no_given_secret_stays(secrets, between):
    text = "".join(part + secret for part, secret in zip(between, secrets, strict=False)) + between[-1]

    masked = Redactor(secrets).mask(text)

    # What is on both sides of a mask does not belong together; no secret here has a blank in it.
    assert not [secret for secret in secrets if secret in masked.replace(MASK, " ")]


@given(st.text())
def test_text_without_secrets_stays_as_it_is(text):
    assert Redactor(["not in there at all"]).mask(text.replace(":", "").replace("=", "")) == text.replace(
        ":", ""
    ).replace("=", "")


def test_longer_secret_is_masked_whole_when_it_begins_with_another():
    assert Redactor(["password", "password-and-more"]).mask("<password-and-more>") == f"<{MASK}>"


def test_secret_is_masked_as_it_looks_inside_json():
    secret = 'quote " and \\ backslash'

    assert "backslash" not in Redactor([secret]).mask(json.dumps({"a": secret}))


def test_each_line_of_a_secret_of_several_lines_is_masked():
    redactor = Redactor(["first line of it\nsecond line of it\n"])

    assert redactor.mask("x second line of it y") == f"x {MASK} y"


@pytest.mark.parametrize("secret", ["", "true", "100", "1234567"])
def test_short_values_are_not_taken_for_secrets(secret):
    assert Redactor([secret]).mask("true, 100 and 1234567") == "true, 100 and 1234567"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key {ACCESS_KEY}.", f"key {MASK}."),
        ('aws_secret_access_key = "wJalrXUtn/K7+MDENG"', f'aws_secret_access_key = "{MASK}"'),
        ("AWS_SESSION_TOKEN=FwoGZXIvYXdzE", f"AWS_SESSION_TOKEN={MASK}"),
        ('{"SecretAccessKey":"wJalrXUtn","x":1}', f'{{"SecretAccessKey":"{MASK}","x":1}}'),
        ("https://bucket/?X-Amz-Signature=abc123&x=1", f"https://bucket/?X-Amz-Signature={MASK}&x=1"),
        ("Authorization: Bearer eyJhbGci.abc", f"Authorization: {MASK}"),
        ("https://jane:hunter2@example.com/x", f"https://jane:{MASK}@example.com/x"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
            f"-----BEGIN RSA PRIVATE KEY-----{MASK}-----END RSA PRIVATE KEY-----",
        ),
    ],
)
def test_what_is_secret_by_its_shape_is_masked(text, masked):
    assert Redactor().mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-green:live",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx@sha256:" + "5f" * 32,
        'Post "http://127.0.0.1:9/": dial tcp 127.0.0.1:9: connect: connection refused',
    ],
)
def test_what_people_need_to_read_stays(text):
    assert Redactor().mask(text) == text


def test_more_secrets_can_be_made_known():
    assert Redactor(["secret-one"]).knowing(["secret-two"]).mask("secret-one secret-two") == f"{MASK} {MASK}"


def test_replacement_can_be_chosen_by_secret():
    assert Redactor(["secret-one"]).mask("a secret-one", lambda secret: f"<{len(secret)}>") == "a <10>"


@pytest.mark.parametrize("secret", ["1", "true", "1234567"])
def test_short_secret_is_masked_where_it_is_a_whole_value(secret):
    redactor = Redactor([secret])

    assert redactor.mask(f'+ "PIN" = "{secret}" # {secret}') == f'+ "PIN" = {MASK} # {secret}'
    assert redactor.mask(f'"{secret}0"') == f'"{secret}0"'


def test_whole_secret_is_known_however_short():
    redactor = Redactor(["1", ""])

    assert redactor.knows("1")
    assert not redactor.knows("11")
    assert not redactor.knows("")
