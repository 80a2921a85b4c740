from datetime import date

from django.core.management.base import BaseCommand, CommandError

from mops import clockwork
from roles import selectors


class Command(BaseCommand):
    help = "Do everything that is scheduled for a company on a local day, in order, at its own times."

    def add_arguments(self, parser):
        parser.add_argument("--company", required=True, help="slug")
        parser.add_argument("--date", required=True, help="YYYY-MM-DD, in the company's zone")

    def handle(self, *, company: str, date: str, **options):
        found = selectors.get_company(slug=company)
        if found is None:
            raise CommandError(f"There is no company {company}.")
        for moment in clockwork.run_day(company=found, day=read_day(date)):
            self.stdout.write(f"{moment.astimezone(found.zone):%Y-%m-%d %H:%M:%S %Z}")


def read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--date must read YYYY-MM-DD, not {text}.") from error
