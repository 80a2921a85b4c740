from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django_scopes import scope

from roles import selectors, tokens
from roles.models import ApiToken
from roles.refusals import Refused


class Command(BaseCommand):
    help = "Make an API token of a person; the token stands alone on the last line and is never shown again."

    def add_arguments(self, parser):
        parser.add_argument("--company", required=True, help="slug")
        parser.add_argument("--email", required=True)
        parser.add_argument("--scopes", required=True, help=f"comma-separated: {','.join(ApiToken.SCOPES)}")
        parser.add_argument("--name", default="made by command")
        parser.add_argument("--days", type=int, default=365, help="days until it expires")

    def handle(self, *, company: str, email: str, scopes: str, name: str, days: int, **options):
        found = selectors.get_company(slug=company)
        if found is None:
            raise CommandError(f"There is no company {company}.")
        if not 1 <= days <= 3650:
            raise CommandError("--days must be between 1 and 3650.")
        with scope(company=found), translation.override("en"):
            person = selectors.people(company=found).filter(user__email=email.lower()).first()
            if person is None:
                raise CommandError(f"There is nobody with the address {email} in {found.name}.")
            wanted = [item.strip() for item in scopes.split(",") if item.strip()]
            try:
                _token, secret = tokens.create_token(
                    company=found, person=person, by=None, name=name, scopes=wanted, at=timezone.now(),
                    lifetime=timedelta(days=days),
                )  # fmt: skip
            except Refused as refused:
                raise CommandError(str(refused)) from refused
        self.stdout.write(secret)
