"""``python -m aipipe_deploy``."""

import sys

from aipipe_deploy.cli import main

sys.exit(main())
