"""Counting as a part of another query."""

from typing import Any

from django.db.models import F, Func, IntegerField, QuerySet, Subquery


def count_of(found: QuerySet[Any]) -> Subquery:
    """How many rows there are, which are neither grouped nor distinct."""
    # Django's own Count would group them.
    number = Func(F("pk"), function="COUNT", output_field=IntegerField())
    return Subquery(found.order_by().annotate(number_of_rows=number).values("number_of_rows"))
