"""What lies in deploy/ is exercised as far as a machine without a container engine can."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it ships none
import promql_parser
import pytest
import yaml

from monitor.config import parse
from monitor.service.meters import Meters

DEPLOY = Path("deploy")
UNITS = ("leakmon-watch.service", "leakmon-worker@.service")
MANIFESTS = tuple(sorted(DEPLOY.joinpath("kubernetes").glob("*.yaml")))
KUBERNETES = ("1.31", "1.34")
HARDENING = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateDevices=yes",
    "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service",
    "UMask=0077",
)


def instructions() -> list[tuple[str, str]]:
    text = DEPLOY.joinpath("Containerfile").read_text()
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text))
    lines = [line for line in joined.splitlines() if line.strip()]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_the_image_takes_only_what_is_there_and_runs_as_nobody() -> None:
    made = instructions()
    for word, rest in made:
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _ = shlex.split(rest)
            assert all(Path(each).exists() for each in sources), rest
    last = [word for word, _ in made]
    users = [rest for word, rest in made if word == "USER"]
    assert users == ["10001:10001"]
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert not any(word == "ADD" for word in last)
    installs = [rest for word, rest in made if word == "RUN" and "pip install" in rest]
    assert all("--require-hashes" in each or "--no-deps" in each for each in installs)


def test_the_images_command_is_one_of_leakmons() -> None:
    (entry,) = [json.loads(rest) for word, rest in instructions() if word == "ENTRYPOINT"]
    (command,) = [json.loads(rest) for word, rest in instructions() if word == "CMD"]
    assert entry[-1] == "leakmon"
    run_help([*command, "--help"])


def run_help(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_containers_configuration_is_one() -> None:
    settings = parse(DEPLOY.joinpath("leakmon.container.toml").read_text())
    assert settings.organisations
    assert settings.evidence.url.startswith("s3://")
    parse(DEPLOY.joinpath("leakmon.example.toml").read_text())


def test_compose_gives_no_service_more_than_it_needs() -> None:
    compose = yaml.safe_load(DEPLOY.joinpath("compose.yaml").read_text())
    services: dict[str, Any] = compose["services"]
    for name in ("watch", "worker"):
        service = services[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "10001:10001"
        assert "no-new-privileges:true" in service["security_opt"]
        run_help([*service["command"], "--help"])
    ports = [port for each in services.values() for port in each.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    text = DEPLOY.joinpath("compose.yaml").read_text()
    assert not re.search(r"(?i)(?:password|token|key): *['\"]?(?!\$\{)[a-z0-9]{8,}", text)
    for path in ("Containerfile", "leakmon.container.toml"):
        assert DEPLOY.joinpath(path).exists()


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_hardened_and_verified(unit: str, tmp_path: Path) -> None:
    lines = DEPLOY.joinpath("systemd", unit).read_text().splitlines()
    assert [each for each in HARDENING if each not in lines] == []
    (start,) = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    run_help([shlex.split(start)[1], "--help"])
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return  # the directives above are all that such a machine can check
    # The program lies elsewhere here: everything but its path is verified.
    copy = tmp_path / unit
    copy.write_text("\n".join(lines).replace("/opt/leakmon/bin/leakmon", "/bin/true") + "\n")
    verified = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], check=False, capture_output=True, text=True
    )
    told = [line for line in verified.stderr.splitlines() if unit.partition("@")[0] in line]
    assert told == []
    judged = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", str(copy)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-400:]


def documents() -> list[dict[str, Any]]:
    return [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text()) if each]


@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_fit_kubernetes_schema(version: str) -> None:
    found = documents()
    assert len(found) >= 8
    for document in found:
        kubernetes_validate.validate(document, version, strict=True)


def test_pods_are_restricted() -> None:
    pods = [
        each["spec"]["template"]["spec"] for each in documents() if each["kind"] == "Deployment"
    ]
    assert len(pods) == 2
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        run_help([*container["args"], "--help"])


def test_the_configuration_in_the_config_map_is_one() -> None:
    (data,) = [each["data"] for each in documents() if each["kind"] == "ConfigMap"]
    assert parse(data["leakmon.toml"]).organisations


def metric_names() -> set[str]:
    """Every series that /metrics shows."""
    names = {"up"}
    for family in Meters().registry.collect():
        suffixes = {
            "counter": ("_total",),
            "histogram": ("_bucket", "_count", "_sum"),
        }.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return names


def series(expression: str) -> set[str]:
    promql_parser.parse(expression)  # raises where it is none
    return set(re.findall(r"\b(?:leakmon_[a-z_]+|up)\b(?=[\s{\[)]|$)", expression))


def test_alert_rules_parse_and_name_what_there_is() -> None:
    groups = yaml.safe_load(DEPLOY.joinpath("prometheus/leakmon-rules.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    runbook = DEPLOY.joinpath("RUNBOOK.md").read_text()
    for rule in rules:
        used = series(rule["expr"])
        assert used
        assert used <= metric_names(), rule["expr"]
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert f"### {rule['alert']}\n" in runbook
            assert rule["annotations"]["runbook"] == f"RUNBOOK.md#{rule['alert'].lower()}"
    assert len([rule for rule in rules if "alert" in rule]) >= 10


def test_the_dashboard_names_what_there_is() -> None:
    dashboard = json.loads(DEPLOY.joinpath("grafana/leakmon-dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) >= 15
    for expression in expressions:
        used = series(expression)
        assert used
        assert used <= metric_names(), expression
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_the_runbook_names_commands_that_exist() -> None:
    text = DEPLOY.joinpath("RUNBOOK.md").read_text()
    named = set(re.findall(r"`leakmon ([a-z]+)(?: ([a-z]+))?[^`]*`", text))
    assert len(named) >= 8
    grouped = {"alerts", "config", "db", "evidence", "incidents", "index", "jobs", "rules"}
    for command, action in sorted(named):
        words = [command, action] if action and command in grouped else [command]
        run_help([*words, "--help"])
