"""`manage.py bench <what>`: the benchmarks of `mops/benchmarks/`. They print the ratios of one run and are never timed tests.

It works in a test database of its own, beside the configured one, and removes it afterwards.
"""

from django.core.management.base import BaseCommand
from django.db import connection
from django_scopes import scopes_disabled

from mops.benchmarks import backtest, imports, pages, rules
from mops.benchmarks.processor import bare_loop

# A benchmark is a module with `HELP`, `add_arguments(parser)` and `run(stdout, **arguments)`.
BENCHMARKS = {"backtest": backtest, "import": imports, "pages": pages, "rules": rules}


class Command(BaseCommand):
    help = "Measure what one core does: bench pages"

    def add_arguments(self, parser):
        kinds = parser.add_subparsers(dest="what", required=True)
        for name, benchmark in BENCHMARKS.items():
            benchmark.add_arguments(kinds.add_parser(name, help=benchmark.HELP, description=benchmark.HELP))

    def handle(self, what, **options):
        self.stdout.write(f"this machine: ten million additions in {bare_loop():.2f} s")
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            with scopes_disabled():
                BENCHMARKS[what].run(self.stdout, **options)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
