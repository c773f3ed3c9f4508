"""Files of a deployment are consistent with the code and with each other. ``nox -s image`` builds and runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelmesh.cli import main
from modelmesh_proxy.metrics.definitions import METRICS, Kind

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = [ROOT / "docker-compose.yaml", DEPLOY / "compose" / "docker-compose.yaml"]
CHART = DEPLOY / "helm" / "modelmesh"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "modelmesh.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"


def _samples() -> dict[str, frozenset[str]]:
    """Return the labels of each sample of ``/metrics``, by its name."""
    found: dict[str, frozenset[str]] = {}
    for metric in METRICS:
        labels = frozenset(metric.labels)
        if metric.kind is Kind.HISTOGRAM:
            found |= {f"{metric.name}_bucket": labels | {"le"}, f"{metric.name}_sum": labels, f"{metric.name}_count": labels}
        else:
            found[metric.name] = labels
    return found


def _queries() -> Iterator[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (row["expr"] for row in dashboard["annotations"]["list"])
    yield from (row["query"]["query"] for row in dashboard["templating"]["list"] if row["type"] == "query")
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_dashboard_and_alerts_query_metrics_that_exist() -> None:
    samples, used = _samples(), set()
    for query in _queries():
        for name, selector in re.findall(r"\b((?:modelmesh|process)_\w+)\b(?:\{([^}]*)\})?", query):
            assert name in samples, f"{name} in {query}"
            assert set(re.findall(r"(\w+)\s*[=!]", selector)) - {"instance", "job"} <= samples[name], query
            used.add(name)
        for labels in re.findall(r"\bby \(([^)]*)\)", query):
            known = frozenset().union(*(samples[name] for name in re.findall(r"\b((?:modelmesh|process)_\w+)\b", query)))
            assert set(re.findall(r"\w+", labels)) <= known | {"instance"}, query
        assert query.count("(") == query.count(")"), query
    missing = {metric.name for metric in METRICS if not any(name.startswith(metric.name) for name in used)}
    assert missing <= {"process_virtual_memory_bytes", "process_max_fds", "process_start_time_seconds"}, "metrics without a panel"


def test_dashboard_panels_do_not_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24
                assert (x, y) not in taken, f"{panel['title']} over {taken.get((x, y))}"
                taken[x, y] = panel["title"]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_compose_files_mount_what_exists(path: Path) -> None:
    compose = yaml.safe_load(path.read_text())
    for name, service in compose["services"].items():
        assert service.get("restart") == "unless-stopped", name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (path.parent / source).exists() if source.startswith(".") else source in compose["volumes"], volume
        for needed in service.get("depends_on", ()):
            assert needed in compose["services"]
    proxy = compose["services"]["modelmesh-proxy"]
    assert (path.parent / proxy["build"]["context"] / "Dockerfile").exists()
    assert proxy["healthcheck"]["test"][0] == "CMD"
    assert int(proxy["stop_grace_period"].removesuffix("s")) > 30, "longer than the drain"


def test_three_replicas_share_one_redis() -> None:
    services = yaml.safe_load(COMPOSE[1].read_text())["services"]
    assert services["modelmesh-proxy"]["deploy"]["replicas"] == 3
    assert {"redis", "prometheus", "grafana", "load-balancer"} <= set(services)


def test_dockerfile_has_the_promised_parts() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["modelmesh", "serve"]' in text
    assert 'CMD ["--host", "0.0.0.0", "--port", "8080"]' in text
    assert "USER 10001:10001" in text
    assert "curl" not in text
    copied = set(re.findall(r"^COPY ([\w-]+)/ ", text, re.MULTILINE))
    assert copied == {
        line[1:-1] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!" and line[-1] == "/"
    }
    workspace = {
        path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/**/pyproject.toml") if len(path.relative_to(ROOT).parts) < 4
    }
    assert copied >= workspace - {"tests", "docs", "tools", "benchmarks"}, "a kind of package that the image leaves out"


def _manifests() -> dict[str, dict[str, Any]]:
    paths = [path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"]
    return {path.stem: yaml.safe_load(path.read_text()) for path in paths}


def test_manifests_name_each_other() -> None:
    manifests = _manifests()
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert sorted(kustomization["resources"]) == sorted(f"{name}.yaml" for name in manifests)
    labels = manifests["deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [manifests["service"]["spec"]["selector"], manifests["networkpolicy"]["spec"]["podSelector"]["matchLabels"]]
    selectors += [manifests[name]["spec"]["selector"]["matchLabels"] for name in ("deployment", "pdb")]
    for selector in selectors:
        assert selector.items() <= labels.items()
    assert manifests["hpa"]["spec"]["scaleTargetRef"]["name"] == manifests["deployment"]["metadata"]["name"]
    assert {"modelmesh.yaml"} == set(manifests["configmap"]["data"])


def test_pods_drain_and_have_no_rights() -> None:
    pod = _manifests()["deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["spec"]["terminationGracePeriodSeconds"] > pause + 30
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert {"checksum/config", "checksum/secret"} <= set(pod["metadata"]["annotations"])
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    rights = container["securityContext"]
    assert rights == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def test_chart_has_a_value_for_every_reference() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    used = set()
    for template in sorted((CHART / "templates").iterdir()):
        for path in re.findall(r"\.Values\.([\w.]+)", template.read_text()):
            value: Any = values
            for part in path.split("."):
                assert part in value, f"{path} in {template.name}"
                value = value[part]
            used.add(path.split(".")[0])
    assert used == set(values), "values without a use"


def test_example_environment_names_every_key() -> None:
    text = (ROOT / ".env.example").read_text()
    for provider in sorted(ROOT.glob("connectors/*/src/*/provider.py")):
        key = re.search(r'api_key_variable: ClassVar\[str \| None\] = "(\w+)"', provider.read_text())
        if key and key[1] not in ("OLLAMA_API_KEY", "LM_API_TOKEN", "VLLM_API_KEY", "LOCALAI_API_KEY"):  # servers of one's own
            assert f"\n{key[1]}=\n" in text, provider


@pytest.mark.parametrize(
    "path", [ROOT / "modelmesh.yaml", DEPLOY / "compose" / "modelmesh.yaml"], ids=lambda path: path.parent.name
)
def test_sample_configurations_are_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("MODELMESH_METRICS_TOKEN", "test-metrics-token")
    with pytest.raises(SystemExit) as exit:  # noqa: A001 - pytest's own word
        main(["check", str(path)])
    assert not exit.value.code


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_parse(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_scripts_leave_the_process_of_another_program_alone(tmp_path: Path) -> None:
    """The number in ``data/proxy.pid`` may be used again after a crash."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / ".env").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "modelmesh"
    command.write_text("#!/bin/sh\necho 'error: no key' >&2; exit 1\n")
    command.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"PATH": f"{command.parent}:{os.environ['PATH']}", "MODELMESH_NO_DOCKER": "1", "MODELMESH_PORT": str(port)}
    number = tmp_path / "data" / "proxy.pid"
    with subprocess.Popen(["sleep", "60"]) as other:
        number.write_text(str(other.pid))
        started = subprocess.run(
            [tmp_path / "scripts" / "proxy-up.sh", "--detach"], env=environment, capture_output=True, text=True, check=False
        )
        assert (started.returncode, number.exists()) == (1, False)
        assert "The proxy did not start" in started.stderr
        assert "error: no key" in started.stderr
        number.write_text(str(other.pid))
        subprocess.run([tmp_path / "scripts" / "proxy-down.sh"], env=environment, check=True)
        assert other.poll() is None
        other.kill()
