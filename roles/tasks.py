"""Background work of `roles/`."""

from celery import shared_task

from roles import invitations
from roles.tenancy import company_scope


@shared_task(name="roles.send_invitation", autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_invitation(company_id: int, person_id: int) -> None:
    """Mail the invitation; a mail server that is away is tried again for some minutes."""
    with company_scope(company_id) as company:
        invitations.send_invitation(company=company, person_id=person_id)
