"""Syntax of the queries of the dashboard and of the alerts, by the grammar of Prometheus."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "modelmesh.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
PACKAGES = ("@prometheus-io/lezer-promql@0.315.0", "@lezer/common", "@lezer/highlight", "@lezer/lr")


def check_queries() -> Iterator[str]:
    """Yield the queries that are not valid PromQL."""
    if shutil.which("npm") is None:
        yield "npm is missing. Install it: apt-get install -y --no-install-recommends npm"
        return
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "promql.mjs"
        script.write_text(Path(__file__).with_name("promql.mjs").read_text())
        subprocess.run(["npm", "install", "--silent", "--no-save", "--prefix", folder, *PACKAGES], check=True)
        done = subprocess.run(["node", script], input=json.dumps(list(_queries())), check=True, text=True, capture_output=True)
    yield from done.stdout.splitlines()


def _queries() -> Iterator[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    found += [row["expr"] for row in dashboard["annotations"]["list"]]
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        found += [rule["expr"] for rule in group["rules"]]
    for query in found:
        yield query.replace("$__rate_interval", "5m").replace("$instance", ".*")
