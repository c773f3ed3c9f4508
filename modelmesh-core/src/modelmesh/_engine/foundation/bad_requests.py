"""Error of a request that the mesh refuses before any attempt."""

from __future__ import annotations

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh.errors import BadRequestError


def bad_request_error(why: str) -> BadRequestError:
    """Return the error of an invalid request.

    Args:
        why: What is wrong and what to do, without a full stop.
    """
    end = "" if why.endswith("?") else "."
    return BadRequestError(f"{why}{end} Nothing was sent.", failure=FailureClass.CALLER, status=400)
