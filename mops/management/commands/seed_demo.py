import time

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from mops.demo import seed


class Command(BaseCommand):
    help = "Make the sample companies veresk and rival, or top their figures up to yesterday. Safe to repeat."

    def handle(self, **options):
        if not settings.REDIS_URL:
            # The loads wake the worker: the embedded broker's folder must be there, or each of them says it is not.
            (settings.BROKER_DIR / "queue").mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        company = seed.seed(now=timezone.now())
        self.stdout.write(f"{company}: ready in {time.perf_counter() - started:.1f} s")
