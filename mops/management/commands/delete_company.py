from django.core.management.base import BaseCommand, CommandError

from mops.erasing import delete_company
from roles import selectors


class Command(BaseCommand):
    help = "Delete a company with all its rows, files and the logins that belong to no other company. There is no way back."

    def add_arguments(self, parser):
        parser.add_argument("--company", required=True, help="slug")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, company: str, yes: bool, **options):
        found = selectors.get_company(slug=company)
        if found is None:
            raise CommandError(f"There is no company {company}.")
        if not yes and input(f"Type {found.slug} to delete {found.name} for ever: ").strip() != found.slug:
            raise CommandError("Nothing was deleted.")
        self.stdout.write(f"{found.name} is gone: {delete_company(company=found)} rows.")
