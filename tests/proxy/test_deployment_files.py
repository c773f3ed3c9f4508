"""Files of a deployment are consistent with the code and with each other. ``nox -s image`` builds and runs them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from modelmesh.cli import main
from modelmesh_proxy.metrics.definitions import METRICS, Kind

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = [ROOT / "docker-compose.yaml", DEPLOY / "compose" / "docker-compose.yaml"]
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
    with pytest.raises(SystemExit) as exit:  # noqa: A001 - pytest's own word
        main(["check", str(path)])
    assert not exit.value.code


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_parse(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)
