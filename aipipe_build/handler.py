"""The top-level handler: expected failures print one message, others leave a report."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from aipipe_core.errors import AipipeError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable


def run_command(main: Callable[[], int]) -> int:
    """Run ``main`` and return the exit code of how it ended."""
    try:
        return main()
    except AipipeError as error:
        print(f"aipipe-build: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception:
        traceback.print_exc()
        print("aipipe-build: this is a defect of ours; please report the above", file=sys.stderr)
        return ExitCode.DEFECT
