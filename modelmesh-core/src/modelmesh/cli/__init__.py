"""The command line: ``modelmesh``, or ``python -m modelmesh.cli``.

click and rich are the extra ``modelmesh-core[cli]``; this module imports neither until :func:`main` is called, so that
whoever has only the library gets one clear line and not a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

MISSING = "the modelmesh command needs click and rich: pip install 'modelmesh-core[cli]'"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process.

    Args:
        arguments: In place of the process's own.

    Raises:
        SystemExit: Always. 0 is success, 1 an error that was shown, 2 bad usage or a missing package, 130 Ctrl-C.
    """
    try:
        import click  # noqa: F401, PLC0415 - an extra
        import rich  # noqa: F401, PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise  # one of the two is there; something it needs is not
        print(MISSING, file=sys.stderr)
        raise SystemExit(2) from None
    from modelmesh.cli.root import run  # noqa: PLC0415 - imports click

    run(arguments)
