"""The manifests for Kubernetes: by its own schemas, confined, and as the compose file has it. None is applied here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "kubernetes"
SECRET = re.compile("PASSWORD|SECRET|TOKEN|HASH|KEY")


def read(path: Path) -> Iterator[dict[str, Any]]:
    yaml = pytest.importorskip("ruamel.yaml")
    yield from yaml.YAML(typ="safe").load_all(path)


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    listed = next(read(FOLDER / "kustomization.yaml"))["resources"]
    assert sorted(listed) == sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
    return [manifest for name in listed for manifest in read(FOLDER / name)]


@pytest.fixture(scope="module")
def workloads(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The template of the pods of each."""
    return {one["metadata"]["name"]: one["spec"]["template"] for one in manifests if "template" in one.get("spec", {})}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Those of the compose file."""
    found: dict[str, Any] = next(read(ROOT / "compose.yaml"))["services"]
    return found


def container_of(template: dict[str, Any]) -> dict[str, Any]:
    (container,) = template["spec"]["containers"]
    return dict(container)


@pytest.mark.parametrize("version", ["1.30", "1.34"])
def test_each_manifest_is_what_kubernetes_takes(manifests: list[dict[str, Any]], version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    assert len(manifests) > 12
    for manifest in manifests:
        validate(manifest, version, strict=True)
        with pytest.raises(Exception, match="nosuch"):
            validate(manifest | {"nosuch": 1}, version, strict=True)


def test_no_container_is_root_writes_to_its_image_or_has_a_capability(workloads: dict[str, dict[str, Any]]) -> None:
    for template in workloads.values():
        pod, container = template["spec"]["securityContext"], container_of(template)["securityContext"]
        assert (pod["runAsNonRoot"], pod["runAsUser"], pod["seccompProfile"]["type"]) == (True, 10001, "RuntimeDefault")
        assert container == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert not template["spec"]["automountServiceAccountToken"]


def test_each_container_has_probes_and_bounds(workloads: dict[str, dict[str, Any]]) -> None:
    for template in workloads.values():
        container = container_of(template)
        assert {"readinessProbe", "livenessProbe"} <= container.keys()
        assert {"cpu", "memory"} == container["resources"]["limits"].keys() == container["resources"]["requests"].keys()


def test_each_program_has_the_settings_and_folders_that_the_compose_file_gives_it(
    workloads: dict[str, dict[str, Any]], services: dict[str, Any]
) -> None:
    assert workloads.keys() == services.keys()
    for name, service in services.items():
        container = container_of(workloads[name])
        given = {one["name"]: one.get("value") for one in container["env"]}
        ours = service["environment"]
        assert given.keys() - {"SIMILARITY_DOMAIN", "SIMILARITY_MORE_HOSTS"} == ours.keys() - {"SIMILARITY_DOMAIN"}
        fixed = {key: value for key, value in ours.items() if not str(value).startswith("${") and "$" not in str(value)}
        assert {key: given[key] for key in fixed} == fixed
        volumes = [
            one.rsplit(":", 2 if one.endswith(":ro") else 1)[1] for one in service["volumes"] if type(one) is str
        ]
        folders = {one.split(":")[0] for one in service["tmpfs"]} | set(volumes)
        assert {one["mountPath"] for one in container["volumeMounts"]} == folders


def test_no_secret_is_written_down(workloads: dict[str, dict[str, Any]]) -> None:
    secret = [one for each in workloads.values() for one in container_of(each)["env"] if SECRET.search(one["name"])]
    assert len(secret) == 4
    assert all("secretKeyRef" in one["valueFrom"] for one in secret)


def test_what_is_named_is_there(manifests: list[dict[str, Any]], workloads: dict[str, dict[str, Any]]) -> None:
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    settings = next(one["data"] for one in manifests if one["kind"] == "ConfigMap")
    told = (FOLDER / "kustomization.yaml").read_text()
    for template in workloads.values():
        for volume in template["spec"]["volumes"]:
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            assert claim is None or ("PersistentVolumeClaim", claim) in there
        for source in (one["valueFrom"] for one in container_of(template)["env"] if "valueFrom" in one):
            if "configMapKeyRef" in source:
                assert source["configMapKeyRef"]["key"] in settings
            else:
                assert f"--from-literal={source['secretKeyRef']['key']}=" in told
    for service in (one for one in manifests if one["kind"] == "Service"):
        labels = workloads[service["metadata"]["name"]]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()


def test_only_the_door_is_reached_from_outside(manifests: list[dict[str, Any]]) -> None:
    reached = {one["metadata"]["name"]: one["spec"].get("type") for one in manifests if one["kind"] == "Service"}
    assert reached == {"door": "LoadBalancer", "app": None, "milvus": None}
    policies = {one["metadata"]["name"]: one["spec"] for one in manifests if one["kind"] == "NetworkPolicy"}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    let_in = {
        name: [source["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for source in rule.get("from", [])]
        for name, policy in policies.items()
        for rule in policy.get("ingress", [])
    }
    assert let_in == {"door": [], "app": ["door"], "milvus": ["app"]}
