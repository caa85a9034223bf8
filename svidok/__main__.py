"""Let `python -m svidok` be `svidok`."""

import sys

from svidok.cli import main

sys.exit(main())
