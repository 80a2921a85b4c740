from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mops import pulse


class Command(BaseCommand):
    help = (
        "Exit code 0 while sweeps happen: beat asks for one every ten seconds and a worker answers. For health checks."
    )

    def add_arguments(self, parser):
        parser.add_argument("--within", type=int, default=120, help="seconds since the last sweep that are still fine")

    def handle(self, *, within: int, **options):
        last = pulse.last_sweep()
        if last is None or timezone.now() - last > timedelta(seconds=within):
            raise CommandError(f"The last sweep was {last or 'never'}: beat, the broker or every worker is down.")
        self.stdout.write("ok")
