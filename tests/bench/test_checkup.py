"""`doctor` says what it finds on this computer, and what to do about what is amiss."""

import json
import re
from pathlib import Path

import pytest
from commands import Run

import similarity
from similarity import settings


def findings(run: Run) -> dict[str, dict[str, str]]:
    return {one["subject"]: one for one in json.loads(run("doctor", "--json").stdout)["findings"]}


def test_a_computer_that_is_well_has_versions_models_and_no_problem(run: Run, empty_home: Path) -> None:
    done = run("doctor")
    assert done.returncode == 0
    assert "All is well." in done.stderr
    found = findings(run)
    assert {"Python", "streamlit", "processor", "memory", "models at hand", "galleries"} <= found.keys()
    assert found["galleries"]["found"] == "none yet"
    assert str(empty_home) in found["SIMILARITY_HOME"]["found"]


def test_a_damaged_gallery_and_a_misspelt_setting_are_named_with_what_to_do(
    run: Run, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = empty_home / "galleries" / "broken"
    broken.mkdir(parents=True)
    (broken / "CURRENT").write_text("no state")
    monkeypatch.setenv("SIMILARITY_MANGE", "nobody")
    assert run("doctor").returncode == 1
    found = findings(run)
    assert found["gallery broken"]["state"] == "problem"
    assert "restore broken" in found["gallery broken"]["advice"]
    assert found["SIMILARITY_MANGE"]["advice"] == "Did you mean SIMILARITY_MANAGE?"


@pytest.mark.usefixtures("empty_home")
def test_a_package_that_is_not_there_is_no_problem_but_says_how_to_install_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from similarity.bench import checkup

    monkeypatch.setattr(checkup, "EXTRAS", {"time travel": ("no_such_module", "time-travel")})
    found = findings(run)["time travel"]
    assert (found["state"], found["advice"]) == ("optional", "pip install time-travel")


def test_all_settings_of_the_program_are_listed() -> None:
    sources = Path(similarity.__file__).parent.rglob("*.py")
    named = {name for path in sources for name in re.findall(r"SIMILARITY_[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    assert named == settings.NAMES
