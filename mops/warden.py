"""Outlives a supervisor that was killed with -9, just long enough to kill what it started. Run as a script: no import of ours.

The supervisor writes `+<process group>` and `-<process group>` lines into our standard input. End of input without
`bye` means that the supervisor is gone: every group still listed is killed, grandchildren included.
"""

import os
import signal
import sys


def main() -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        word = line.strip()
        if word == "bye":
            return
        (groups.add if word[0] == "+" else groups.discard)(int(word[1:]))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


if __name__ == "__main__":
    main()
