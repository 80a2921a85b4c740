import getpass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone as clock
from django.utils import translation

from mops.companies import start_company
from roles.models import User
from roles.refusals import Refused


class Command(BaseCommand):
    help = "Start a company with its owner. A login that does not exist yet is made, and its password asked for."

    def add_arguments(self, parser):
        parser.add_argument("--slug", required=True, help="the company in addresses: /c/<slug>/")
        parser.add_argument("--name", required=True)
        parser.add_argument("--owner", required=True, help="e-mail of the owner")
        parser.add_argument("--owner-name", default="")
        parser.add_argument("--timezone", default="Europe/Moscow")
        parser.add_argument("--currency", default="RUB")
        parser.add_argument("--language", default="ru", choices=["ru", "en"])

    def handle(self, *, slug, name, owner, owner_name, timezone: str, currency, language, **options):
        with translation.override("en"), transaction.atomic():
            user = User.objects.filter(email=owner.lower()).first() or self._new_login(owner, owner_name, language)
            try:
                company = start_company(
                    owner=user,
                    at=clock.now(),
                    slug=slug,
                    name=name,
                    timezone=timezone,
                    currency=currency,
                    language=language,
                )
            except Refused as refused:
                raise CommandError("; ".join([str(refused), *(error.message for error in refused.errors)])) from refused
        self.stdout.write(f"{company.name} is there: /c/{company.slug}/, owner {user.email}.")

    def _new_login(self, email: str, name: str, language: str) -> User:
        password = getpass.getpass(f"Password for {email}: ")
        user = User(email=email.lower(), name=name, language=language)
        try:
            user.clean_fields(exclude=["password"])
            validate_password(password, user)
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from wrong
        return User.objects.create_user(email, password, name=name, language=language)
