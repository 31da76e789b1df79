"""The image and the compose file: linted, and in line with what the code reads. Neither is built or started here."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPOSE, IMAGE = ROOT / "compose.yaml", ROOT / "Dockerfile"
VARIABLE = re.compile(r'"(SIMILARITY_[A-Z_]+)"')


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    yaml = pytest.importorskip("ruamel.yaml")
    found: dict[str, Any] = yaml.YAML(typ="safe").load(COMPOSE)["services"]
    return found


def read_by_the_code() -> set[str]:
    """The environment variables of ours that the package reads."""
    return {name for path in (ROOT / "similarity").rglob("*.py") for name in VARIABLE.findall(path.read_text())}


def tool(name: str) -> str:
    """A linter that tests/requirements.txt installs beside Python."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def test_the_image_passes_its_linter() -> None:
    done = subprocess.run([tool("hadolint"), str(IMAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_is_one() -> None:
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_the_image_copies_is_there_and_is_sent_to_whoever_builds_it() -> None:
    copied = [
        source for line in IMAGE.read_text().splitlines() if line.startswith("COPY ") for source in line.split()[1:-1]
    ]
    assert "similarity" in copied
    sent = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    for source in copied:
        assert (ROOT / source).exists()
        assert source in sent


def test_only_the_door_is_published_and_no_password_has_a_default(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["door"]
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|ROOT_USER|ACCESS_KEY", variable):
                assert re.fullmatch(r"\$\{(MINIO|STREAMLIT)_[A-Z_]+:\?[^}]+\}", value), (name, variable)


def test_every_image_has_a_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if "build" not in service:
            assert re.search(r":v?(RELEASE\.)?\d", service["image"]), name


def test_the_door_understands_its_configuration(tmp_path: Path) -> None:
    yaml = pytest.importorskip("ruamel.yaml")
    told = yaml.YAML(typ="safe").load(COMPOSE)["configs"]["door"]["content"]
    (tmp_path / "Caddyfile").write_text(told)
    command = [tool("caddy"), "adapt", "--config", str(tmp_path / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (route,) = json.loads(done.stdout)["apps"]["http"]["servers"]["srv0"]["routes"]
    (proxy,) = route["handle"]
    assert proxy["dynamic_upstreams"] | {"name": "app", "port": "8501"} == proxy["dynamic_upstreams"]
    assert proxy["load_balancing"]["selection_policy"]["policy"] == "cookie"
    # Without this, a visitor whose replica has died is sent to it in vain.
    assert proxy["health_checks"]["passive"]["fail_duration"] > 0


def test_services_wait_for_those_that_they_need(services: dict[str, Any]) -> None:
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert needed == "app" or "healthcheck" in services[needed]
    assert "HEALTHCHECK" in IMAGE.read_text()


def test_the_app_is_given_what_it_reads(services: dict[str, Any]) -> None:
    given = services["app"]["environment"]
    assert set(given) - {"STREAMLIT_SERVER_COOKIE_SECRET"} <= read_by_the_code()
    assert given["SIMILARITY_STORE"] == "milvus"
    assert given["SIMILARITY_MILVUS_URI"] == "http://milvus:19530"


def test_the_readme_tells_every_variable_that_the_code_reads() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in read_by_the_code():
        assert f"`{name}`" in readme, name


def test_the_command_of_the_image_starts_the_app(home: Path, child_environment: dict[str, str]) -> None:
    line = next(line for line in IMAGE.read_text().splitlines() if line.startswith("CMD "))
    command = [part.strip('", []') for part in line.removeprefix("CMD ").split(",")]
    assert command[0] == "python"
    assert (ROOT / command[4]).is_file()
    told = subprocess.run(
        [sys.executable, *command[1:4], "--help"], capture_output=True, text=True, env=child_environment, check=False
    )
    for option in (part.partition("=")[0] for part in command[5:]):
        assert option in told.stdout, option
    assert os.environ["SIMILARITY_HOME"] == str(home)
