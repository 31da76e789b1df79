"""Sets on the command line: one face for galleries that share out their pictures."""

import json
import shutil
from pathlib import Path

import pytest
from commands import Run
from conftest import MODEL


@pytest.fixture
def shop(run: Run, own_pictures: Path, empty_home: Path) -> Path:
    """The set `shop`, of four shards."""
    assert run("index", own_pictures, "-g", "shop", "--model", MODEL, "--shards", 4).returncode == 0
    return empty_home / "galleries" / "shop"


def test_a_set_is_listed_once_and_known_by_its_shards(run: Run, shop: Path) -> None:
    (listed,) = json.loads(run("list", "--json").stdout)["galleries"]
    assert (listed["gallery"], listed["count"], listed["shards"]) == ("shop", 15, 4)
    assert run("list").stdout.split()[:5] == ["gallery", "model", "count", "created", "shards"]
    facts = json.loads(run("info", "-g", "shop", "--json").stdout)
    assert (facts["count"], len(facts["shards"])) == (15, 4)
    assert facts["bytes"] > 15 * facts["dim"] * 4
    assert "shards" in run("info", "-g", "shop").stdout
    checked = json.loads(run("verify", "-g", "shop", "--json").stdout)
    assert (checked["sound"], checked["shards"]) == (True, 4)
    assert checked["checked_files"] > 3 * 4
    shard = next(path.parent for path in shop.glob("shards/*/*/CURRENT"))
    assert json.loads(run("info", "-g", shard, "--json").stdout)["count"] < 15


def test_hits_are_those_of_the_set_alone_and_beside_others(run: Run, shop: Path, own_pictures: Path) -> None:
    query = own_pictures / "dots" / "dots-0.jpg"
    assert run("index", own_pictures / "rings", "-g", "rings", "--model", MODEL).returncode == 0
    answer = json.loads(run("search", query, "-g", "shop", "--json").stdout)
    assert (answer["gallery"], answer["hits"][0]["id"], len(answer["hits"])) == (shop.name, "dots/dots-0.jpg", 10)
    assert "missing_shards" not in answer
    both = json.loads(run("search", query, "-g", "*", "-k", 30, "--json").stdout)
    assert (sorted(both["galleries"]), len(both["hits"])) == (["rings", "shop"], 15)
    assert {hit["gallery"] for hit in both["hits"]} | {name for hit in both["hits"] for name in hit["also_in"]} == {
        "rings",
        "shop",
    }


def test_a_change_names_the_set_and_a_rebalance_embeds_nothing(run: Run, shop: Path, own_pictures: Path) -> None:
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    done = json.loads(run("sync", own_pictures, "-g", "shop", "--json").stdout)
    assert (done["gallery"], done["removed"], done["embedded"], done["indexed"]) == ("shop", 1, 0, 14)
    assert json.loads(run("remove", "-g", "shop", "--label", "rings", "--json").stdout)["removed"] == 5
    changed = json.loads(run("rebalance", "-g", "shop", "--shards", 2, "--json").stdout)
    assert (changed["shards"], changed["embedded"], changed["indexed"]) == (2, 0, 9)
    told = run("rebalance", "-g", "shop", "--shards", 1)
    assert "The 9 pictures of shop are in one gallery now" in told.stdout
    assert not json.loads(run("info", "-g", "shop", "--json").stdout)["shards"]
    assert shop.is_dir()


def test_a_shard_that_is_gone_is_one_note_and_the_rest_answers(run: Run, shop: Path, own_pictures: Path) -> None:
    query = own_pictures / "dots" / "dots-0.jpg"
    shutil.rmtree(next(shop.glob("shards/*/*")))
    found = run("search", query, "-g", "shop", "-k", 30)
    assert found.returncode == 0
    assert found.stderr.count("shop is not whole.") == 1
    assert len(found.stdout.splitlines()) < 16
    answer = json.loads(run("search", query, "-g", "shop", "--json").stdout)
    assert answer["missing_shards"] == 1
    both = json.loads(run("search", query, "-g", "shop*", "--json").stdout)
    assert both["galleries"] == [left["gallery"] for left in both["left_out"]] == ["shop"]
    assert "shop is not whole." in run("search", query, "-g", "shop*").stderr
    damaged = run("verify", "-g", "shop")
    assert damaged.returncode == 1
    assert "is missing, a shard of this set: `sync` with the source of the set" in damaged.stderr
    assert "`sync` with the source of the set" in run("restore", "-g", "shop").stderr
    assert "shop is not whole: 1 of its 4 shards are missing." in run("list").stderr
    looked = run("doctor")
    assert (looked.returncode, "1 of its 4 shards are missing" in looked.stdout) == (1, True)
    refused = run("remove", "-g", "shop", "--label", "rings")
    assert refused.returncode == 1
    assert "shop is not whole, so it was not changed." in refused.stderr
    assert run("sync", own_pictures, "-g", "shop").returncode == 0
    assert run("verify", "-g", "shop").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rebalance", "-g", "shop", "--shards", "0"], "A set can have 1 to 256 shards, not 0."),
        (["index", "PICTURES", "-g", "new", "--shards", "2", "--parts"], "leave out --shards, or --parts"),
        (["import", "SHOP", "--name", "new"], "is a set of shards: make one gallery of the set"),
        (["rebalance", "-g", "none", "--shards", "2"], "There is no gallery in"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_set_cannot_be_or_do_is_one_sentence(
    run: Run, shop: Path, own_pictures: Path, arguments: list[str], sentence: str
) -> None:
    places = {"PICTURES": str(own_pictures), "SHOP": str(shop)}
    done = run(*(places.get(word, word) for word in arguments))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert not (shop.parent / "new").exists()
