import gc
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run, started
from conftest import MODEL, Site
from PIL import Image
from typer.main import get_group

from similarity import Gallery
from similarity.cli import app
from similarity.storage.generations import read_generation
from similarity.storage.live import read_live_manifest


def test_every_command_says_what_it_does(run: Run) -> None:
    shown = run("--help").stdout
    for name, command in get_group(app).commands.items():
        assert command.help
        if name != "bench":  # which is a group
            assert command.callback is not None
            assert command.callback.__doc__
        assert name in shown


def test_index_search_info_and_list_work_together_and_keep_the_contract_of_their_json(
    run: Run, own_pictures: Path, empty_home: Path
) -> None:
    (own_pictures / "dots" / "empty.jpg").touch()
    indexed = run("index", own_pictures, "--gallery", "mine", "--model", MODEL, "--json")
    assert indexed.returncode == 0, indexed.stderr
    report = json.loads(indexed.stdout)
    contract = ["gallery", "model", "dim", "indexed", "skipped", "seconds", "images_per_second"]
    assert list(report)[: len(contract)] == contract
    assert (report["gallery"], report["model"], report["dim"], report["indexed"]) == ("mine", MODEL, 1280, 15)
    assert report["skipped"] == [{"path": str(own_pictures / "dots" / "empty.jpg"), "reason": "is empty (0 bytes)."}]

    query = own_pictures / "rings" / "rings-3.jpg"
    found = json.loads(run("search", query, "--gallery", "mine", "-k", "4", "--json").stdout)
    assert list(found) == ["query", "gallery", "model", "took_ms", "belongs", "verdict", "hits"]
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4]
    best = found["hits"][0]
    assert list(best) == ["rank", "score", "id", "path", "label", "probability", "width", "height"]
    assert (best["id"], best["path"], best["label"]) == ("rings/rings-3.jpg", str(query), "rings")
    assert best["score"] >= 0.999
    assert best["probability"] is None, "fifteen pictures say nothing"

    facts = json.loads(run("info", "--gallery", "mine", "--json").stdout)
    assert {"gallery": "mine", "generation": 1, "model": MODEL, "dim": 1280, "count": 15, "recipe": "flat"}.items() <= (
        facts.items()
    )
    assert facts["precision"] in ("bf16", "f32", "f16")
    listed = json.loads(run("list", "--json").stdout)["galleries"]
    assert [(gallery["gallery"], gallery["model"], gallery["count"]) for gallery in listed] == [("mine", MODEL, 15)]
    assert (empty_home / "galleries" / "mine" / "CURRENT").exists()


def test_results_for_people_are_a_table_with_one_line_each(run: Run, shapes: Gallery, pictures: Path) -> None:
    lines = run("search", pictures / "dots" / "dots-0.jpg", "-g", "shapes", "-k", 3).stdout.splitlines()
    assert lines[0].split() == ["rank", "score", "label", "path"]
    assert lines[1].split() == ["1", "1.000", "dots", str(pictures / "dots" / "dots-0.jpg")]
    assert len(lines) == 4
    assert f"{len(shapes)}" in run("list").stdout
    assert "efficientnet-lite2" in run("info", "-g", "shapes").stdout


def test_a_query_may_be_an_address(run: Run, shapes: Gallery, site: Site) -> None:
    site.pages["/boot.jpg"] = (200, {}, Path(shapes.items[4].path).read_bytes())
    answer = run("search", site.url("/boot.jpg"), "-g", "shapes", "--json", SIMILARITY_PRIVATE_HOSTS=site.host)
    assert json.loads(answer.stdout)["hits"][0]["id"] == shapes.items[4].id


@pytest.mark.usefixtures("shapes")
def test_an_explained_sheet_has_heat_on_it(run: Run, pictures: Path, tmp_path: Path) -> None:
    query, sheets = pictures / "dots" / "dots-0.jpg", [tmp_path / "plain.png", tmp_path / "heat.png"]
    for sheet, more in zip(sheets, ([], ["--explain"]), strict=True):
        done = run("search", query, "-g", "shapes", "-k", 3, "--sheet", sheet, *more)
        assert done.returncode == 0, done.stderr
    plain, heat = (np.asarray(Image.open(sheet).convert("RGB")).astype(int) for sheet in sheets)
    assert plain.shape == heat.shape
    assert (np.abs(plain - heat).max(axis=2) > 30).mean() > 0.02


@pytest.mark.usefixtures("shapes")
def test_explanations_in_json_add_up_to_the_scores(run: Run, pictures: Path) -> None:
    found = json.loads(
        run("search", pictures / "dots" / "dots-0.jpg", "-g", "shapes", "-k", 3, "--explain", "--json").stdout
    )
    for hit in found["hits"]:
        explanation = hit["explanation"]
        assert explanation["is_exact"]
        assert len(explanation["cells"]) == len(explanation["cells"][0]) == 9
        for name in ("", "query_"):
            total = sum(map(sum, explanation[f"{name}cells"])) + explanation[f"{name}neighbours"]
            assert total == pytest.approx(hit["score"], abs=1e-3)


@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize("k", [1, pytest.param(10, marks=pytest.mark.exhaustive), 15])
def test_the_sheet_is_a_picture_of_query_and_results(run: Run, pictures: Path, tmp_path: Path, k: int) -> None:
    sheet = tmp_path / "out.png"
    done = run("search", pictures / "dots" / "dots-0.jpg", "-g", "shapes", "-k", k, "--sheet", sheet)
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(sheet.read_bytes())) as image:
        assert image.format == "PNG"
        assert image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 100


def test_names_are_drawn_as_they_are_written(run: Run, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "$_{$").mkdir()
    for name in ("a$^$.jpg", "[bold]b.jpg"):
        (tmp_path / "$_{$" / name).write_bytes((pictures / "dots" / "dots-0.jpg").read_bytes())
    assert run("index", tmp_path / "$_{$", "-g", tmp_path / "odd", "-m", MODEL).returncode == 0
    query = tmp_path / "$_{$" / "a$^$.jpg"
    done = run("search", query, "-g", tmp_path / "odd", "--sheet", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    assert "[bold]b.jpg" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize("options", [[], pytest.param(["--json"], marks=pytest.mark.exhaustive)])
def test_output_that_cannot_be_written_is_said(
    pictures: Path, child_environment: dict[str, str], options: list[str]
) -> None:
    command = [sys.executable, "-m", "similarity", "search", str(pictures / "dots" / "dots-0.jpg"), "-g", "shapes"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command, *options], env=child_environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: The output could not be written (No space left on device).\n"


def test_a_gallery_may_be_given_by_its_path(run: Run, pictures: Path, tmp_path: Path) -> None:
    assert run("index", pictures, "-g", tmp_path / "by-path", "-m", MODEL).returncode == 0
    found = run("search", pictures / "dots" / "dots-0.jpg", "-g", tmp_path / "by-path", "--json")
    assert json.loads(found.stdout)["gallery"] == "by-path"


def test_auto_says_aloud_what_it_took_and_keeps_saying_it(run: Run, pictures: Path, empty_home: Path) -> None:
    failed = json.dumps({"resnet50-0676ba61.pth": time.time()})
    (empty_home / "cache" / "unreachable-weights.json").write_text(failed)
    done = run("index", pictures, "-g", "mine")
    assert done.returncode == 0
    assert "Note: EfficientNet-Lite2 is used because the weights of ResNet-50 are not on this computer" in done.stderr
    assert "\\n" not in done.stderr, "a line for each sentence"
    assert "resnet50-0676ba61.pth" in run("info", "-g", "mine").stdout


WRONG = {
    "unknown gallery": (["search", "{picture}", "--gallery", "nowhere"], 1, "There is no gallery named nowhere"),
    "unknown model": (["index", "{pictures}", "-g", "x", "-m", "resnet51"], 1, "There is no model named 'resnet51'"),
    "a folder with no images": (["index", "{empty}", "-g", "x", "-m", MODEL], 1, "There are no pictures in"),
    "a missing folder": (["index", "{empty}/nowhere", "-g", "x", "-m", MODEL], 1, "There is no folder"),
    "a file as a folder": (["index", "{picture}", "-g", "x", "-m", MODEL], 1, "is not a folder, a zip or a CSV"),
    "a gallery over other files": (["index", "{pictures}", "-g", "{pictures}", "-m", MODEL], 1, "contains other files"),
    "a name that is none": (["index", "{pictures}", "-g", "a?b", "-m", MODEL], 1, "cannot name a gallery"),
    "zero results": (["search", "{picture}", "-g", "shapes", "-k", "0"], 2, "greater than or equal to 1"),
    "no number of results": (["search", "{picture}", "-g", "shapes", "-k", "many"], 2, "valid integer"),
    "no query": (["search", "-g", "shapes"], 2, "give a picture, words with --text"),
    "no such command": (["serach"], 2, "No such command"),
    "a missing picture": (["search", "{empty}/a.jpg", "-g", "shapes"], 1, "cannot be read (No such file"),
    "an empty source": (["index", "", "-g", "x", "-m", MODEL], 1, "The path is empty"),
    "an empty folder to watch": (["watch", "", "-g", "shapes"], 1, "The path is empty"),
    "an empty path to take out": (["remove", "--path", "", "-g", "shapes"], 1, "The path is empty"),
    "an empty place of before": (["relocate", "", "/elsewhere", "-g", "shapes"], 1, "The path is empty"),
    "an empty list of queries": (["search", "--queries", "", "-g", "shapes"], 1, "The path is empty"),
    "an empty folder for shards": (["embed", "{pictures}", "--out", "", "-m", MODEL], 1, "The path is empty"),
    "an empty query": (["search", "", "-g", "shapes"], 1, "The query is empty"),
    "a folder without queries": (["search", "{empty}", "-g", "shapes"], 1, "There are no pictures in"),
    "a device as a query": (["search", "/dev/zero", "-g", "shapes"], 1, "is not a regular file"),
    "a home that is a file": (["search", "{picture}", "-g", "{text}/gallery"], 1, "There is no gallery"),
    "a gallery with an endless name": (["index", "{pictures}", "-g", "x" * 300, "-m", MODEL], 1, "255 bytes at most"),
    "an unknown user's gallery": (["info", "-g", "~no-such-user/x"], 1, "is not a valid path"),
    "a picture of an unknown user": (["remove", "-g", "shapes", "--path", "~no-such-user/x"], 1, "is not a valid path"),
    "no picture": (["search", "{text}", "-g", "shapes"], 1, "is not a picture that can be read"),
    "an unknown dataset": (["download", "imagenet"], 1, "There is no dataset named 'imagenet'"),
    "a split of what has none": (["index", "{pictures}", "-g", "x", "--split", "train"], 1, "is not Stanford Online"),
    "an address that answers 404": (["search", "{site}/gone.jpg", "-g", "shapes"], 1, "answered 404 Not Found"),
    "an address of a web page": (["search", "{site}/page", "-g", "shapes"], 1, "is a web page, not a picture"),
    "a private address": (["search", "http://10.1.2.3/a.jpg", "-g", "shapes"], 1, "a private network address"),
    "a sheet that is no PNG": (["search", "{picture}", "-g", "shapes", "--sheet", "a.gif"], 2, "must end in .png"),
    "nothing to explain on": (
        ["search", "{picture}", "-g", "shapes", "--explain"],
        2,
        "give a file for the pictures with --sheet",
    ),
    "a sheet in no folder": (["search", "{picture}", "-g", "shapes", "--sheet", "no/a.png"], 1, "could not be written"),
}


@pytest.mark.many
@pytest.mark.usefixtures("shapes")
@pytest.mark.parametrize("case", WRONG)
def test_bad_input_gets_one_plain_sentence_and_leaves_nothing(
    run: Run, case: str, home: Path, pictures: Path, tmp_path: Path, site: Site
) -> None:
    site.pages["/page"] = (200, {}, b"<html></html>")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.jpg").write_text("notes")
    places = {
        "picture": pictures / "dots" / "dots-0.jpg",
        "pictures": pictures,
        "empty": tmp_path / "empty",
        "text": tmp_path / "notes.jpg",
        "site": site.url(""),
    }
    arguments, status, sentence = WRONG[case]
    before = sorted(home.glob("galleries/**")) + sorted(pictures.rglob("*"))
    done = run(*(argument.format(**places) for argument in arguments), SIMILARITY_PRIVATE_HOSTS=site.host)
    assert done.returncode == status, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if status == 1:
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1
    assert sorted(home.glob("galleries/**")) + sorted(pictures.rglob("*")) == before
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.usefixtures("empty_home")
def test_without_any_gallery_the_list_says_how_to_make_one(run: Run) -> None:
    assert "python -m similarity index FOLDER --gallery NAME" in run("list").stderr


def test_the_first_search_indexes_the_sample_gallery_by_itself_and_the_second_does_not(
    run: Run, empty_home: Path, tmp_path: Path, small_catalogue: int
) -> None:
    first = check_the_first_search(run, empty_home, tmp_path)
    assert Gallery.open(first).manifest.count == small_catalogue


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
def test_the_whole_sample_gallery_is_indexed_by_the_first_search(run: Run, empty_home: Path, tmp_path: Path) -> None:
    assert Gallery.open(check_the_first_search(run, empty_home, tmp_path)).manifest.count > 500


def check_the_first_search(run: Run, empty_home: Path, tmp_path: Path) -> Path:
    """Look for a sample where there is no gallery yet; where there is one then."""
    done = run("demo", "--sheet", tmp_path / "demo.png", "-k", 5, "--json")
    assert "Note: EfficientNet-Lite2 is used because the weights of ResNet-50 are not on this computer" in done.stderr
    first = json.loads(done.stdout)
    assert (first["gallery"], len(first["hits"])) == ("sample", 5)
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    second = json.loads(run("search", first["query"], "-k", 5, "--json").stdout)
    assert second["hits"] == first["hits"]
    directory = empty_home / "galleries" / "sample"
    assert (directory / "CURRENT").read_text().startswith("000001 ")
    return directory


# The command line with the light network; it says aloud that an embedding is kept, and waits there for Ctrl-C.
WAITS_TO_BE_STOPPED = """
import threading
import light
from similarity.embedding.embedder import Embedder
from similarity.storage.journal import Journal
Embedder.load = light.instead_of(light.load())
add = Journal.add
def kept(*arguments):
    add(*arguments)
    print("kept", flush=True)
    threading.Event().wait(60)
Journal.add = kept
from similarity.cli import main
main()
"""


def test_ctrl_c_ends_indexing_with_a_sentence_and_the_same_command_goes_on(
    run: Run, own_pictures: Path, empty_home: Path, child_environment: dict[str, str]
) -> None:
    paths = os.pathsep.join((str(Path(__file__).parents[1]), child_environment["PYTHONPATH"]))
    with started(
        [sys.executable, "-c", WAITS_TO_BE_STOPPED, "index", str(own_pictures), "-g", "mine", "-m", MODEL],
        env=child_environment | {"SIMILARITY_HOME": str(empty_home), "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "kept\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "Interrupted: the gallery is as it was. Run the same command again to go on where it stopped.\n"
    assert run("list", "--json").stdout == '{"galleries": []}\n'
    again = json.loads(run("index", own_pictures, "-g", "mine", "-m", MODEL, "--json").stdout)
    assert again["indexed"] == 15
    assert (again["embedded"], again["resumed"]) == (14, 1)
    assert sorted(path.name for path in (empty_home / "galleries" / "mine").iterdir()) == [
        ".lock",
        "CURRENT",
        "generations",
        "thumbnails",
    ]


def test_ctrl_c_when_all_is_written_does_not_say_that_nothing_was_changed(
    run: Run, own_pictures: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", own_pictures, "-g", "mine", "-m", MODEL)
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    readings = iter([read_generation])

    def read(*arguments: Any, **options: Any) -> object:
        if (reading := next(readings, None)) is None:
            raise KeyboardInterrupt
        return reading(*arguments, **options)

    monkeypatch.setattr("similarity.gallery.read_generation", read)
    done = run("sync", own_pictures, "-g", "mine")
    assert (done.returncode, done.stderr) == (130, "Interrupted when all was done: the gallery is changed.\n")
    assert read_live_manifest(empty_home / "galleries" / "mine").count == 14


def test_a_gallery_is_changed_verified_and_restored_from_the_command_line(
    run: Run, own_pictures: Path, empty_home: Path, tmp_path: Path
) -> None:
    assert run("index", own_pictures, "-g", "mine", "-m", MODEL).stdout.splitlines()[1] == "mine has 15 pictures."
    (own_pictures / "dots" / "copy.jpg").write_bytes((own_pictures / "rings" / "rings-0.jpg").read_bytes())
    (own_pictures / "dots" / "empty.jpg").touch()
    (own_pictures / "stripes" / "stripes-0.jpg").unlink()

    foreseen = run("sync", own_pictures, "-g", "mine", "--dry-run").stdout
    assert foreseen == (
        "Nothing was changed. `sync` would do this to mine: 1 added, 1 removed, 14 unchanged; 0 embedded.\n"
    ), "a file that is no picture is not counted"
    synced = json.loads(run("sync", own_pictures, "-g", "mine", "--json").stdout)
    assert {"added": 1, "removed": 1, "unchanged": 14, "embedded": 0, "duplicates": 1}.items() <= synced.items()
    assert (synced["indexed"], [Path(one["path"]).name for one in synced["skipped"]]) == (15, ["empty.jpg"])
    assert run("add", own_pictures, "-g", "mine").stdout.startswith("15 unchanged; 0 embedded in ")

    shown = run("info", "-g", "mine", "--csv", tmp_path / "report.csv")
    assert "sync, added 1, removed 1, unchanged 14" in shown.stdout
    rows = (tmp_path / "report.csv").read_text().splitlines()
    assert rows[0] == "path,state,detail"
    assert rows[1] == f"{own_pictures / 'dots' / 'empty.jpg'},skipped,is empty (0 bytes)."
    assert rows[2] == f"{own_pictures / 'dots' / 'copy.jpg'},duplicate,{own_pictures / 'rings' / 'rings-0.jpg'}"
    groups = json.loads(run("duplicates", "-g", "mine", "--json").stdout)["groups"]
    assert [(group["kind"], group["score"], len(group["files"])) for group in groups] == [("exact", 1.0, 2)]
    assert "(and a copy)" in run("search", own_pictures / "rings" / "rings-0.jpg", "-g", "mine", "-k", 1).stdout

    removed = json.loads(run("remove", "-g", "mine", "--path", own_pictures / "rings", "--json").stdout)
    assert (removed["removed"], removed["indexed"]) == (5, 10)
    sound = json.loads(run("verify", "-g", "mine", "--json").stdout)
    assert sound == {"gallery": "mine", "generation": 3, "sound": True, "checked_files": 4}

    (empty_home / "galleries" / "mine" / "generations" / "000003" / "index.faiss").write_bytes(b"")
    damaged = run("verify", "-g", "mine", "--json")
    assert (damaged.returncode, damaged.stdout, damaged.stderr.count("\n")) == (1, "", 1)
    assert "index.faiss is damaged or missing: generation 2 is sound; to go back to it, run" in damaged.stderr
    assert json.loads(run("restore", "-g", "mine", "--json").stdout)["generation"] == 2
    assert json.loads(run("verify", "-g", "mine", "--json").stdout)["generation"] == 2
    states = json.loads(run("restore", "-g", "mine", "--list", "--json").stdout)["states"]
    assert [(one["state"], one["change"], one["live"]) for one in states] == [(2, "sync", True), (1, "index", False)]
    assert run("restore", "-g", "mine", "--list").stdout.splitlines()[1].startswith("2 ")
    assert run("restore", "-g", "mine", "--to", 1).stdout.startswith("Restored: mine is at generation 1 again")
    assert "has no state 9; there are: 1, 2" in run("restore", "-g", "mine", "--to", 9).stderr
    assert run("restore", "-g", "mine", "--to", 1, "--forget").returncode == 2
    gc.collect()  # commands of before ran in this very process, and what they opened may still be there
    assert run("restore", "-g", "mine", "--forget").stdout == "mine has no other state any more.\n"
    assert "there are: 1" in run("restore", "-g", "mine", "--to", 9).stderr


def test_changing_a_gallery_that_does_not_exist_is_one_plain_sentence(
    run: Run, pictures: Path, empty_home: Path
) -> None:
    for command in (["add", pictures], ["sync", pictures], ["watch", pictures], ["remove", "--id", "x"], ["restore"]):
        done = run(*command, "-g", "none")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert done.stderr.startswith("Error: There is no gallery in ")
    assert run("remove", "-g", "none").returncode == 2
    assert not (empty_home / "galleries").exists()


@pytest.mark.usefixtures("empty_home")
def test_what_had_to_be_guessed_of_a_source_is_said_and_in_the_json(run: Run, own_pictures: Path) -> None:
    path = own_pictures / "products.csv"
    path.write_bytes("path,label,a=b\ndots/dots-0.jpg,Stühle,1\nrings/rings-0.jpg,Tische,2\n".encode("cp1252"))
    done = run("index", path, "-g", "tables", "-m", MODEL)
    assert "Note: The CSV is not UTF-8; it was read as cp1252 (Western European)." in done.stderr
    report = json.loads(run("sync", path, "-g", "tables", "--json").stdout)
    assert report["notes"] == ["The CSV is not UTF-8; it was read as cp1252 (Western European)."]
    query = own_pictures / "dots" / "dots-1.jpg"
    for condition in ("label=Stu\u0308hle", "a=b=1"):
        found = json.loads(run("search", query, "-g", "tables", "--where", condition, "--json").stdout)
        assert [hit["label"] for hit in found["hits"]] == ["Stühle"], condition


def test_a_query_whose_name_is_no_utf8_is_drawn_and_named(run: Run, shapes: Gallery, own_pictures: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(own_pictures) + b"/caf\xe9\x1b[2J\n.jpg"))
    (own_pictures / "dots" / "dots-0.jpg").rename(odd)
    done = run("search", odd, "-g", shapes.directory, "--sheet", "sheet.png")
    assert (done.returncode, Path("sheet.png").read_bytes()[:4]) == (0, b"\x89PNG"), done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert json.loads(run("search", odd, "-g", shapes.directory, "--json").stdout)["query"] == str(odd)
