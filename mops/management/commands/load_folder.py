from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django_scopes import scope

from kpis.services.folders import load_folder
from roles import selectors
from roles.permissions import Permission


class Command(BaseCommand):
    help = (
        "Load the files of a folder, <folder>/<code of the source>/<file>: known ones at once, others wait on their page. "
        "For a timer of the system: doing it again loads nothing twice."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument("--company", required=True, help="slug")
        parser.add_argument("--email", required=True, help="of the person who answers for these loads")

    def handle(self, folder: Path, *, company: str, email: str, **options):
        found = selectors.get_company(slug=company)
        if found is None:
            raise CommandError(f"There is no company {company}.")
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        with scope(company=found), translation.override("en"):
            person = selectors.people(company=found).filter(user__email=email.lower()).first()
            if person is None or not person.can(Permission.ENTER_FACTS):
                raise CommandError(f"{email} is nobody who may load figures of {found.name}.")
            outcomes = load_folder(company=found, by=person, at=timezone.now(), folder=folder)
        for outcome in outcomes:
            self.stdout.write(f"{outcome.state:7} {outcome.path.relative_to(folder)}: {outcome.message}")
        if any(outcome.state == "wrong" for outcome in outcomes):
            raise CommandError("Some files could not be loaded: they lie in wrong/ beside the others.")
