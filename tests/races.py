"""Several people or workers at one moment; for tests on PostgreSQL, because SQLite lets one writer in and hides races."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import close_old_connections, connection
from django_scopes import scopes_disabled


def at_once(*acts: Callable) -> list:
    """Run the acts in threads of their own, all let go together; what each returned or raised."""
    barrier = Barrier(len(acts))

    def run(act):
        close_old_connections()
        try:
            with scopes_disabled():
                barrier.wait(timeout=30)
                return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
