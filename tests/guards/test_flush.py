"""The cleaning after tests with real transactions gets past the sealed tables."""

import pytest

from roles import audit
from roles.models import AuditEvent, Company


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("again", [1, 2])
def test_transactional_tests_start_clean(again):
    assert not AuditEvent.objects.exists()
    company = Company.objects.create(slug="c", name="C")

    audit.record(company=company, by=None, verb="x", obj=company, at="2026-01-01T00:00:00Z")
