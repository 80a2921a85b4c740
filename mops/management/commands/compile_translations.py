from django.core.management.base import BaseCommand

from mops import translations


class Command(BaseCommand):
    help = "Compile the translation catalogues that changed (no gettext needed)."

    def handle(self, **options):
        for path in translations.compile_all():
            self.stdout.write(str(path))
