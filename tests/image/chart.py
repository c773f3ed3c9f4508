"""Checks of the Helm chart and of the plain manifests, which are its rendered form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "modelmesh"
MANIFESTS = ROOT / "deploy" / "kubernetes"
KUBERNETES = "1.34"
"""Version whose schemas apply."""

EVERYTHING: Mapping[str, Any] = {
    "ingress": {"enabled": True, "tlsSecret": "tls"},
    "serviceMonitor": {"enabled": True},
    "autoscaling": {"enabled": True, "requestsInFlight": 50},
    "secrets": {"values": {"OPENAI_API_KEY": "sk-test", "NUMBER": 1}},
    "networkPolicy": {"enabled": True, "ingressFrom": [{"podSelector": {}}]},
    "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"operator": "Exists"}],
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "high",
}
SETS: Mapping[str, Mapping[str, Any]] = {
    "defaults": {},
    "everything": EVERYTHING,
    "nothing": {name: {"enabled": False} for name in ("autoscaling", "podDisruptionBudget", "networkPolicy")},
}
PLAIN: Mapping[str, Any] = {
    "ingress": {"enabled": True, "tlsSecret": "modelmesh-tls"},
    "secrets": {"existing": "modelmesh"},
}
"""Values of the plain manifests. The secret is created by hand, and a ServiceMonitor needs a definition of its own."""

HEAD = "# Rendered from deploy/helm/modelmesh by: nox -s image -- --write\n"


def render(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the manifests of a release named ``modelmesh`` by file name."""
    rendered = helm_python.Chart.load(str(CHART)).render(dict(values), name="modelmesh", namespace="modelmesh")
    texts = {Path(path).name: text.strip() + "\n" for path, text in rendered.items() if path.endswith(".yaml")}
    return {name: text for name, text in texts.items() if yaml.safe_load(text)}


def check_chart() -> Iterator[str]:
    """Yield the problems of the chart with several sets of values."""
    for name, values in SETS.items():
        report = helm_python.lint(str(CHART), dict(values), strict=True)
        found = [row["error"] for row in report["messages"] if row["severity"] > 1]
        yield from (f"lint with {name}: {problem}" for problem in [*found, *report["errors"]])
        for file, text in render(values).items():
            yield from (f"{file} with {name}: {problem}" for problem in validate(text))


def validate(text: str) -> Iterator[str]:
    """Yield the problems of a manifest by the schema of Kubernetes. Kinds of other projects have none."""
    for document in yaml.safe_load_all(text):
        if document["apiVersion"].startswith("monitoring.coreos.com/"):
            continue
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{error.path}: {error.message}"


def check_manifests(*, write: bool) -> Iterator[str]:
    """Yield how the plain manifests differ from the rendered chart. With ``write``, renew them."""
    expected = {name: HEAD + _without_helm(text) for name, text in render(PLAIN).items()}
    expected["kustomization.yaml"] = _kustomization(expected)
    if write:
        MANIFESTS.mkdir(parents=True, exist_ok=True)
        for path in MANIFESTS.glob("*.yaml"):
            path.unlink()
        for name, text in expected.items():
            (MANIFESTS / name).write_text(text)
    for name in sorted({path.name for path in MANIFESTS.glob("*.yaml")} ^ set(expected)):
        yield f"{name} is missing or left over. Renew the manifests: nox -s image -- --write"
    for name, text in expected.items():
        if (MANIFESTS / name).exists() and (MANIFESTS / name).read_text() != text:
            yield f"{name} differs from the chart. Renew the manifests: nox -s image -- --write"


def _without_helm(text: str) -> str:
    """Return a manifest without the labels that only Helm needs."""
    lines = [line for line in text.splitlines() if "helm.sh/chart" not in line and "managed-by: Helm" not in line]
    return "\n".join(lines) + "\n"


def _kustomization(manifests: Mapping[str, str]) -> str:
    names = sorted(manifests)
    text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: modelmesh\nresources:\n"
    return HEAD + text + "".join(f"  - {name}\n" for name in names)
