"""The files of `docs/deploy/`: their options, ports and probes are those of the server, and their forms are right."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgeconv.cli.serve import command
from tests.pages import DOCS

yaml = pytest.importorskip("yaml", reason="comes with the extra `docs`")
schemas = pytest.importorskip("kubernetes_validate", reason="comes with the extra `dev`")

DEPLOY = DOCS / "deploy"
OPTIONS = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def check_command(words: list[str]) -> None:
    """Require a command line to be one that `edgeconv serve` takes."""
    assert [Path(words[0]).name, words[1]] == ["edgeconv", "serve"]
    assert {word for word in words if word.startswith("--")} <= OPTIONS
    with command.make_context("serve", words[2:]) as context:
        assert context.params["port"] == 8000
        assert context.params["host"] == "0.0.0.0"


USER = 65532
"""The user that the container runs as, who owns nothing."""

KUBERNETES = "1.37"
"""The release whose schemas are checked against; strict ones, which know every field."""


def probes(container: Any) -> set[str]:
    return {container[kind]["httpGet"]["path"] for kind in ("readinessProbe", "livenessProbe")}


def test_the_container_file() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    known = {"FROM", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"}
    assert {line.split()[0] for line in lines} <= known
    check_command(json.loads(re.search(r"^ENTRYPOINT (.*)$", text, re.M)[1]))  # type: ignore[index]
    begins = [line.split()[0] for line in lines]
    assert begins.index("USER") < begins.index("ENTRYPOINT")
    assert f"--uid {USER} " in text
    assert lines[begins.index("USER")] == f"USER {USER}", "a number, since Kubernetes looks up no names"
    assert "/v2/health/ready" in text


def test_the_container_file_has_no_fault_that_a_linter_knows() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    found = subprocess.run(
        [linter, "--no-color", DEPLOY / "Containerfile"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_unit_of_systemd(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # The names of settings have capitals.
    unit.read(DEPLOY / "edgeconv-serve.service")
    service = unit["Service"]
    words = shlex.split(service["ExecStart"])
    check_command(words)
    grace = int(words[words.index("--grace") + 1])
    assert int(service["TimeoutStopSec"]) > grace, "systemd waits for what was accepted"
    assert service["ExecReload"].endswith("-HUP $MAINPID")
    if shutil.which("systemd-analyze") is None:
        pytest.skip("the rest needs systemd-analyze")
    path = tmp_path / "edgeconv-serve.service"
    path.write_text((DEPLOY / path.name).read_text().replace("/opt/edgeconv/bin/edgeconv", "/bin/true"))
    checked = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
    assert path.name not in checked.stderr, checked.stderr


def test_the_manifest_of_kserve() -> None:
    service = yaml.safe_load((DEPLOY / "kserve.yaml").read_text())
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert set(service) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(service["spec"]) == {"predictor"}
    # A predictor of KServe's that names its own containers is the specification of a pod.
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"], "spec": service["spec"]["predictor"]}
    schemas.validate(pod, KUBERNETES, strict=True)
    (container,) = service["spec"]["predictor"]["containers"]
    assert container["securityContext"]["runAsUser"] == USER
    assert container["name"] == "kserve-container", "by this name KServe finds it"
    assert [port["containerPort"] for port in container["ports"]] == [8000]
    assert probes(container) == {"/v2/health/ready", "/v2/health/live"}


def test_the_manifest_of_triton() -> None:
    deployment = yaml.safe_load((DEPLOY / "triton.yaml").read_text())
    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    schemas.validate(deployment, KUBERNETES, strict=True)
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert deployment["spec"]["selector"]["matchLabels"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert probes(container) == {"/v2/health/ready", "/v2/health/live"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    assert container["ports"][0] == {"name": "http", "containerPort": 8000}


@pytest.mark.parametrize("name", ["readinesProbe", "securitycontext"])
def test_the_schema_knows_every_field(name: str) -> None:
    """Otherwise a field that is misspelt would pass: Kubernetes ignores it."""
    deployment = yaml.safe_load((DEPLOY / "triton.yaml").read_text())
    deployment["spec"]["template"]["spec"]["containers"][0][name] = {}
    with pytest.raises(schemas.ValidationError, match=name):
        schemas.validate(deployment, KUBERNETES, strict=True)
