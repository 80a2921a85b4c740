"""Taking a company out whole: its rows, its files, and the logins that belong to no other company."""

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django_scopes import scopes_disabled

from kpis.models import Import
from roles.models import Company, CompanyOwned, Membership, User
from roles.tenancy import our_models


def delete_company(*, company: Company) -> int:
    """Delete a company in one transaction and return how many of its own rows went; files follow after the commit.

    The seals of append-only tables open only while the company is marked `erasing`, which nobody but this transaction
    ever sees. Plain DELETEs: foreign keys are checked at the commit, so the order of tables does not matter.
    """
    with scopes_disabled(), transaction.atomic():
        Company.objects.select_for_update().get(pk=company.pk)
        Company.objects.filter(pk=company.pk).update(erasing=True)
        files = list(
            Import.objects.filter(company=company).exclude(file="").exclude(file=None).values_list("file", flat=True)
        )
        users = list(Membership.objects.filter(company=company).values_list("user_id", flat=True))
        gone = sum(_delete_rows(model, company) for model in our_models() if issubclass(model, CompanyOwned))
        User.objects.filter(pk__in=users, memberships=None).delete()
        Company.objects.filter(pk=company.pk)._raw_delete(using="default")
        transaction.on_commit(lambda: [default_storage.delete(name) for name in files])
    return gone


def _delete_rows(model: type[CompanyOwned], company: Company) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE company_id = %s', [company.pk])
        return cursor.rowcount
