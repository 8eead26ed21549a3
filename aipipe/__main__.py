"""``python -m aipipe``."""

import sys

from aipipe.cli import main

sys.exit(main())
