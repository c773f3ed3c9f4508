#!/usr/bin/env python3
"""Print the answer of a URL: ``http-get.py URL [JSON]``. A JSON body is sent with POST, ``MODELMESH_TOKEN`` as bearer token."""

import os
import sys
import urllib.error
import urllib.request


def main() -> int:
    """Send the request of the command line and return the exit code."""
    url, body = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "")  # noqa: PLR2004 - URL and body
    headers = {"content-type": "application/json"}
    if token := os.environ.get("MODELMESH_TOKEN"):
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, body.encode() or None, headers)  # noqa: S310 - the URL of the operator
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
            sys.stdout.write(answer.read().decode())
    except urllib.error.HTTPError as error:
        sys.stdout.write(f"status {error.code}: {error.read().decode()}")
        return 1
    except OSError as error:
        sys.stdout.write(f"no answer: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
