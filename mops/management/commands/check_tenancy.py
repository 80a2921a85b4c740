from django.core.management.base import BaseCommand, CommandError

from roles import tenancy


class Command(BaseCommand):
    help = "Look for rows that point at another company's row; exit code 1 and a list when there are any."

    def handle(self, **options):
        found = tenancy.crossing_rows()
        for place, count in sorted(found.items()):
            self.stdout.write(f"{place}: {count}")
        if found:
            raise CommandError(f"Rows point at another company in {len(found)} places.")
        self.stdout.write("No row points at another company.")
