"""What the source of each page must be: each id is there once, and all that is filled in is labelled."""

from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse

from releases.tests.conftest import text_of
from releases.tests.every_address import API
from releases.tests.test_pages_access import ROLES, ROWS
from releases.tests.world import make_world


class Source(HTMLParser):
    """Reads a page, and notes what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.refers_to: set[str] = set()
        self.labelled: set[str] = set()
        self.fields: set[str] = set()
        self.headings: list[int] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what this one says of itself and of others."""
        said = {name: value or "" for name, value in attrs}
        self.ids.update([said["id"]] if "id" in said else [])
        for name in ("aria-describedby", "aria-labelledby"):
            self.refers_to.update(said.get(name, "").split())
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag == "label":
            self.labelled.add(said.get("for", ""))
        if tag in ("input", "select", "textarea") and said.get("type") != "hidden":
            self.fields.add(said.get("id", ""))
        for need, of in (
            ("type", "button"),
            ("scope", "th"),
            ("for", "label"),
            ("alt", "img"),
            ("href", "a"),
        ):
            if tag == of and need not in said:
                self.wrong.append(f"{tag} without {need}")
        self.wrong.extend(f"{name} in {tag}" for name in said if name == "style" or name.startswith("on"))

    @property
    def problems(self) -> list[str]:
        """All that is wrong."""
        steps = pairwise([0, *self.headings])
        return [
            *self.wrong,
            *(f"id {name} {count} times" for name, count in self.ids.items() if count > 1),
            *(f"nothing has the id {name}" for name in self.refers_to - self.ids.keys()),
            *(f"the field {name} has no label" for name in self.fields - self.labelled),
            *(f"a heading {last} leads to {following}" for last, following in steps if following > last + 1),
        ]


def asked_for(role: str) -> list[tuple[str, str]]:
    """What answers this role with a page, also one that says that a form is filled in wrongly."""
    column = ROLES.index(role)
    pages = [(method, name) for method, name, *row in ROWS if row[column] in ("200", "422")]
    return [(method, name) for method, name in pages if not name.startswith(API) and "-events" not in name]


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_the_source_of_each_page_is_as_it_must_be(aws, scene, role):
    world = make_world(scene)
    client = Client()
    client.force_login(world.people[role])
    found = {}
    for method, name in asked_for(role):
        answer = getattr(client, method.lower())(reverse(name, kwargs=world.names(name)))
        if answer["Content-Type"].startswith("text/html"):
            found[method, name] = Source(text_of(answer)).problems
    assert len(found) > 25
    assert {page: problems for page, problems in found.items() if problems} == {}
