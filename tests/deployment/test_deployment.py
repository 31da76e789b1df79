"""The image and the compose file: linted, and in line with what the code reads. Neither is built or started here."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import door
import pytest
import uvicorn

ROOT = Path(__file__).resolve().parents[2]
COMPOSE, IMAGE = ROOT / "compose.yaml", ROOT / "Dockerfile"
PAGE, SETTINGS = ROOT / "docs" / "deployment.md", ROOT / "docs" / "settings.md"
VARIABLE = re.compile(r'"(SIMILARITY_[A-Z_]+)"')


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("ruamel.yaml")
    found: dict[str, Any] = yaml.YAML(typ="safe").load(COMPOSE)
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def read_by_the_code() -> set[str]:
    """The environment variables of ours that the package reads."""
    return {name for path in (ROOT / "similarity").rglob("*.py") for name in VARIABLE.findall(path.read_text())}


def test_the_image_passes_its_linter() -> None:
    done = subprocess.run([door.tool("hadolint"), str(IMAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_is_one() -> None:
    command = [door.tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_the_image_copies_is_there_and_is_sent_to_whoever_builds_it() -> None:
    copied = [
        source
        for line in IMAGE.read_text().splitlines()
        if line.startswith("COPY ") and "<<" not in line
        for source in line.split()[1:-1]
    ]
    assert "similarity" in copied
    sent = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    for source in copied:
        assert (ROOT / source).exists()
        assert source in sent


def test_only_the_door_is_published_and_to_this_computer_alone_unless_somebody_says_otherwise(
    services: dict[str, Any],
) -> None:
    assert [name for name, service in services.items() if "ports" in service or "network_mode" in service] == ["door"]
    # The door speaks nothing but TLS there, see tests/test_door.py.
    assert services["door"]["ports"] == ["${SIMILARITY_ADDRESS:-127.0.0.1}:${SIMILARITY_PORT:-8501}:8443"]


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    found = []
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", variable) and variable != "SIMILARITY_PASSWORD_HASH":
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), (name, variable)
                found.append(variable)
    assert found == [
        "SIMILARITY_MILVUS_TOKEN",
        "STREAMLIT_SERVER_COOKIE_SECRET",
        "COMMON_SECURITY_DEFAULTROOTPASSWORD",
    ]
    # An empty one is none: the door does not open with it.
    assert services["door"]["environment"]["SIMILARITY_PASSWORD_HASH"] == "${SIMILARITY_PASSWORD_HASH:-}"


def test_each_service_has_no_rights_and_can_write_nothing_but_its_data(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert "privileged" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert service["user"] == "10001:10001", name
        for place in service.get("tmpfs", []):
            options = place.partition(":")[2].split(",")
            assert {"noexec", "nosuid", "nodev"} <= set(options), (name, place)
            assert any(option.startswith("size=") for option in options), (name, place)
        # Docker cannot put text into a container that is read-only.
        assert "configs" not in service, name


def test_each_service_has_a_measure_of_memory_processors_processes_and_logs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"(\$\{[A-Z_]+:-)?\d+[mg]\}?", service["mem_limit"]), name
        assert service["memswap_limit"] == service["mem_limit"], f"{name} does not swap"
        assert float(re.sub(r"[^\d.]", "", str(service["cpus"]))) <= 2, f"{name} starts on two cores"
        assert 0 < service["pids_limit"] <= 4096, name
        assert service["ulimits"]["core"] == 0, name
        assert service["ulimits"]["nofile"] > 0, name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name
        assert service["restart"] == "unless-stopped", name
        assert service.get("init", False) is (name != "milvus"), f"{name}: Milvus' image has its own"


def test_networks_lead_from_the_door_to_the_app_and_from_the_app_to_milvus(
    compose: dict[str, Any], services: dict[str, Any]
) -> None:
    assert {name: set(service["networks"]) for name, service in services.items()} == {
        "door": {"edge", "front"},
        "app": {"front", "back", "out"},
        "milvus": {"back"},
    }
    internal = {name for name, network in compose["networks"].items() if (network or {}).get("internal") is True}
    assert internal == {"front", "back"}
    assert set(compose["networks"]) == internal | {"edge", "out"}


def test_milvus_asks_for_a_password_and_keeps_its_etcd_to_itself(services: dict[str, Any]) -> None:
    told = services["milvus"]["environment"]
    assert told["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"
    assert (told["ETCD_USE_EMBED"], told["COMMON_STORAGETYPE"]) == ("true", "local")
    etcd = re.search(rf"COPY <<'END' {told['ETCD_CONFIG_PATH']}\n(.*?)\nEND\n", IMAGE.read_text(), re.DOTALL)
    assert etcd
    assert set(re.findall(r"http://([\d.]+):", etcd[1])) == {"127.0.0.1"}


def test_every_image_is_made_of_one_with_a_version_and_runs_as_nobody(services: dict[str, Any]) -> None:
    stages = re.split(r"^(?=FROM )", IMAGE.read_text(), flags=re.MULTILINE)[1:]
    for stage in stages:
        assert re.match(r"FROM [\w./-]+:v?\d+\.\d+\.\d+\S* AS \w+\n", stage), stage
        assert re.findall(r"^USER (.*)$", stage, re.MULTILINE)[-1] == "10001"
    names = [re.match(r"FROM \S+ AS (\w+)", stage)[1] for stage in stages]  # type: ignore[index]
    assert sorted(service["build"]["target"] for service in services.values()) == sorted(names)
    assert names[-1] == "app", "which is what is built by whoever names none"


def test_the_command_of_the_documentation_finds_every_image_that_it_is_to_pin(tmp_path: Path) -> None:
    command = re.search(r"for image in .*?\ndone\n", PAGE.read_text(), re.DOTALL)
    assert command
    (tmp_path / "Dockerfile").write_text(IMAGE.read_text())
    docker = tmp_path / "docker"
    # In place of Docker's own, which says so much of an image in a registry.
    docker.write_text(f"#!/bin/sh\nprintf 'Name: %s\\nDigest:    sha256:{'0' * 64}\\nManifests:\\n' \"$4\"\n")
    docker.chmod(0o755)
    for _ in range(2):
        subprocess.run(
            ["bash", "-c", command[0]],
            cwd=tmp_path,
            check=True,
            env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )
        pinned = re.findall(r"^FROM (\S+) AS", (tmp_path / "Dockerfile").read_text(), re.MULTILINE)
        assert len(pinned) == 3
        assert all(re.fullmatch(r"[^@]+:[^@]+@sha256:0{64}", image) for image in pinned)


def test_secrets_are_never_sent_to_whoever_builds_the_image_or_into_the_history() -> None:
    for name in (".dockerignore", ".gitignore"):
        assert ".streamlit/secrets.toml" in (ROOT / name).read_text().splitlines()
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_services_wait_for_those_that_they_need(services: dict[str, Any]) -> None:
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert needed == "app" or "healthcheck" in services[needed]
    assert "HEALTHCHECK" in IMAGE.read_text()


def test_the_app_tells_visitors_apart_by_the_addresses_that_the_door_states(
    services: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", services["app"]["environment"]["FORWARDED_ALLOW_IPS"])
    clients: list[str] = []

    async def answer(scope: Any, _receive: Any, _send: Any) -> None:
        clients.append(scope["client"][0])

    config = uvicorn.Config(answer, log_config=None, lifespan="off", ws="none")
    config.load()
    headers = [(b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": ("172.30.0.2", 1234), "scheme": "http", "headers": headers}
    asyncio.run(config.loaded_app(scope, None, None))  # type: ignore[arg-type]
    assert clients == ["192.0.2.7"]


def test_the_app_is_given_what_it_reads(services: dict[str, Any]) -> None:
    given = services["app"]["environment"]
    assert set(given) - {"STREAMLIT_SERVER_COOKIE_SECRET", "FORWARDED_ALLOW_IPS"} <= read_by_the_code()
    assert given["SIMILARITY_STORE"] == "milvus"
    assert given["SIMILARITY_MILVUS_URI"] == "http://milvus:19530"


def test_every_variable_of_the_compose_file_is_told_of_in_it_or_in_the_documentation() -> None:
    text = COMPOSE.read_text()
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for name in set(re.findall(r"\$\{([A-Z_]+)", text)):
        assert name in comments or name in PAGE.read_text() + SETTINGS.read_text(), name


def test_the_documentation_tells_every_variable_that_the_code_reads() -> None:
    page = SETTINGS.read_text()
    for name in read_by_the_code():
        assert f"`{name}`" in page, name


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
