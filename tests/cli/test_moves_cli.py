"""Sources that moved, on the command line: what is gone says the command that follows or forgets it."""

import json
import re
import shlex
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL


@pytest.fixture
def moved(run: Run, own_pictures: Path, empty_home: Path) -> Path:  # noqa: ARG001 - the gallery is made there
    """The folder that the gallery `mine` was made of, moved elsewhere."""
    assert run("index", own_pictures, "--gallery", "mine", "--model", MODEL).returncode == 0
    return own_pictures.rename(own_pictures.with_name("my archive"))


def test_results_whose_files_are_gone_say_what_to_do(run: Run, moved: Path, own_pictures: Path) -> None:
    found = run("search", moved / "dots" / "dots-0.jpg", "-g", "mine", "-k", 1)
    path = own_pictures / "dots" / "dots-0.jpg"
    assert f"{path} (the file is gone)" in found.stdout
    assert "sync NEWPLACE --gallery mine" in found.stderr
    command = f"remove --gallery mine --path {shlex.quote(str(path))}"
    assert command in found.stderr
    assert json.loads(run("search", moved / "dots" / "dots-0.jpg", "-g", "mine", "-k", 1, "--json").stdout)["hits"][0][
        "gone"
    ]
    assert run(*shlex.split(command)).returncode == 0
    assert json.loads(run("info", "-g", "mine", "--json").stdout)["count"] == 14


def test_a_sync_with_the_new_place_moves_every_picture(run: Run, moved: Path) -> None:
    done = json.loads(run("sync", moved, "-g", "mine", "--json").stdout)
    assert (done["moved"], done["embedded"], done["indexed"], done["added"]) == (15, 0, 15, 0)
    found = run("search", moved / "dots" / "dots-0.jpg", "-g", "mine", "--json")
    hits = json.loads(found.stdout)["hits"]
    assert all(Path(hit["path"]).is_relative_to(moved) and "gone" not in hit for hit in hits)


def test_relocate_says_how_many_pictures_moved_and_can_be_tried_first(
    run: Run, moved: Path, own_pictures: Path
) -> None:
    tried = run("relocate", own_pictures, moved, "-g", "mine", "--dry-run")
    assert "Nothing was changed. `relocate` would do this to mine: 15 found in another place" in tried.stdout
    done = json.loads(run("relocate", own_pictures, moved, "-g", "mine", "--json").stdout)
    assert (done["moved"], done["indexed"], done["embedded"]) == (15, 15, 0)
    wrong = run("relocate", own_pictures, moved, "-g", "mine")
    assert wrong.returncode == 1
    assert "No picture of the gallery is in" in wrong.stderr


def test_excluded_files_are_counted_and_stay_out(run: Run, own_pictures: Path, empty_home: Path) -> None:  # noqa: ARG001
    (own_pictures / "@eaDir").mkdir()
    (own_pictures / "@eaDir" / "thumb.jpg").write_bytes(b"x")
    made = run("index", own_pictures, "-g", "mine", "--model", MODEL, "--exclude", "dots/", "--exclude", "*-0.jpg")
    assert "8 files were left out unread: 1 @eaDir, 3 excluded by *-0.jpg, 4 excluded by dots/." in made.stderr
    done = json.loads(run("sync", own_pictures, "-g", "mine", "--json").stdout)
    assert (done["unchanged"], done["indexed"], done["passed_over"]["excluded by dots/"]) == (8, 8, 4)
    done = json.loads(run("sync", own_pictures, "-g", "mine", "--exclude", "rings/", "--dry-run", "--json").stdout)
    assert (done["added"], done["removed"]) == (6, 4)
    assert run("sync", own_pictures, "-g", "mine", "--exclude", "!").returncode == 1


def test_index_under_a_name_that_exists_says_what_leaves_and_how_to_undo_it(
    run: Run,
    own_pictures: Path,
    empty_home: Path,  # noqa: ARG001 - the gallery is made there
) -> None:
    first = run("index", own_pictures, "-g", "mine", "--model", MODEL)
    assert "left mine" not in first.stderr
    rings = own_pictures / "rings"
    done = run("index", rings, "-g", "mine", "--model", MODEL)
    assert "10 pictures left mine, since `index` replaces a gallery." in done.stderr
    commands = [shlex.split(command) for command in re.findall(r"`python -m similarity ([^`]+)`", done.stderr)]
    assert [command[0] for command in commands] == ["restore", "add"]
    for command in commands:
        assert run(*command).returncode == 0
    assert json.loads(run("info", "-g", "mine", "--json").stdout)["count"] == 15
    assert json.loads(run("index", rings, "-g", "mine", "--model", MODEL, "--json").stdout)["removed"] == 10
