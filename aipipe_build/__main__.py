"""``python -m aipipe_build``."""

import sys

from aipipe_build.cli import main

sys.exit(main())
