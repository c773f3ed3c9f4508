"""Driver of the npm clients: a vendor and ``modelmesh serve`` on loopback, and Node's test runner.

Usage: python tests/proxy/clients/npm/run.py FOLDER [NODE ARGUMENT …]

FOLDER receives the npm packages, so that the checkout stays clean. Node prints one line for each check. The exit code is Node's, and
1 with one line on standard error when Node or npm is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from modelmesh_cdk.testing import Upstream

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]


def main(folder: Path, arguments: list[str]) -> int:
    """Install the packages, start the servers and run the checks."""
    from client_setup import configuration
    from proxy_process import proxy
    from vendor_server import answer

    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        sys.stderr.write("node and npm are missing. Install them: apt-get install nodejs npm\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "clients.test.mjs"):
        shutil.copy(HERE / name, folder / name)
    subprocess.run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"], cwd=folder, check=True)
    with Upstream() as vendor, tempfile.TemporaryDirectory() as scratch:
        vendor.always(answer)
        Path(scratch, "modelmesh.yaml").write_text(json.dumps(configuration(vendor.url)), "utf-8")
        with proxy(Path(scratch), "--config", "modelmesh.yaml", HOME=scratch) as running:
            environment = {**os.environ, "PROXY": f"http://127.0.0.1:{running.port}", "VENDOR": vendor.url}
            command = [node, "--test", "--test-reporter=spec", *arguments, "clients.test.mjs"]
            return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
