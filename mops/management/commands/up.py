"""`manage.py up`: everything on one machine with one command."""

import os

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from mops import starting
from mops.demo.people import DOMAIN
from mops.supervisor import Supervisor
from roles import selectors


class Command(BaseCommand):
    help = "Prepare the database and files, then run web, worker and scheduler until Ctrl-C."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--with-parent", action="store_true", help="end when the process that started this ends")

    def handle(self, *, port: int, no_demo: bool, with_parent: bool, **options):
        parent = os.getppid() if with_parent else None
        if not starting.port_is_free(port):
            raise CommandError(f"Port {port} is taken. Stop what listens there, or choose another: make run PORT=8001")
        starting.prepare(demo=not no_demo, say=self.say)
        logins = selectors.get_company(slug=DOMAIN.partition(".")[0]) is not None
        connections.close_all()
        Supervisor(
            starting.children(port),
            ready=lambda: starting.web_answers(port),
            greet=lambda: self.say(starting.greeting(port, logins)),
            parent=parent,
        ).run()

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
