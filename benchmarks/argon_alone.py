"""Run one Argon2id for every line that comes in, and answer with its seconds: the yardstick for beginning.

A process of its own, in the environment that the source process has.
"""

import secrets
import sys
import time

from keys.argon import FLOOR
from keys.codename import new
from keys.source_key import derive


def main() -> None:
    pepper = secrets.token_bytes(32)
    for _ in sys.stdin:
        codename = new(secrets.randbelow)
        started = time.perf_counter()
        derive(codename, pepper, FLOOR)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
