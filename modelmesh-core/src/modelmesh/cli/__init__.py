"""Command line: ``modelmesh``, or ``python -m modelmesh.cli``.

click and rich belong to the extra ``modelmesh-core[cli]``. This module imports them in :func:`main`, so that a user without
the extra gets one line of text instead of a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

MISSING = "the modelmesh command needs click and rich: pip install 'modelmesh-core[cli]'"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process.

    Args:
        arguments: Arguments, by default those of the process.

    Raises:
        SystemExit: Always. 0 is success, 1 an error that was shown, 2 invalid usage or a missing package, 130 Ctrl-C.
    """
    try:
        import click  # noqa: F401, PLC0415 - an extra
        import rich  # noqa: F401, PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise  # a dependency of click or rich is missing
        print(MISSING, file=sys.stderr)
        raise SystemExit(2) from None
    from modelmesh.cli.root import run  # noqa: PLC0415 - imports click

    run(arguments)
