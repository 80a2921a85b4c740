"""Starting a company: the parts of several apps that make one."""

from datetime import datetime

from django.db import transaction
from django_scopes import scope

from kpis.services.kpis import install_builtin_kpis
from roles.models import Company, User
from roles.services.companies import create_company


@transaction.atomic
def start_company(*, owner: User, at: datetime, **fields) -> Company:
    """A company with its owner, the built-in roles and KPIs. `fields` and refusals: as `create_company` has them."""
    company = create_company(owner=owner, at=at, **fields)
    with scope(company=company):
        install_builtin_kpis(company=company, at=at)
    return company
