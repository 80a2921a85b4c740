"""Places at which a test kills the process as `kill -9` would: `FAIL_AT=import.after_copy`. Inert without the variable."""

import os
import signal


def failpoint(name: str) -> None:
    """Die here, without any clean-up, when the environment names this place."""
    if os.environ.get("FAIL_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
