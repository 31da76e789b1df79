from pathlib import Path

import pytest
from conftest import MODEL, draw

from similarity import Gallery
from similarity.errors import SourceError
from similarity.sources import open_source
from similarity.sources.opening import source_arguments

KINDS = ("bicycle", "chair", "mug")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A miniature of Stanford Online Products: 3 kinds, 4 products each, 2 photographs each, half of them to train."""
    image = 0
    for split, first in (("train", 0), ("test", 2)):
        lines = ["image_id class_id super_class_id path"]
        for kind_number, kind in enumerate(KINDS, start=1):
            (tmp_path / f"{kind}_final").mkdir(exist_ok=True)
            for product in range(first, first + 2):
                for view in range(2):
                    image += 1
                    place = f"{kind}_final/1110{image}_{view}.JPG"
                    draw(("dots", "rings", "stripes")[kind_number - 1], image).save(tmp_path / place, "JPEG")
                    lines.append(f"{image} {kind_number * 10 + product} {kind_number} {place}")
        (tmp_path / f"Ebay_{split}.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_test_split_is_read_with_its_labels_and_super_labels(root: Path) -> None:
    items = open_source(root).items
    assert len(items) == 12
    assert (items[0].id, items[0].label) == ("bicycle_final/111013_0.JPG", "12")
    assert items[0].path == str(root / "bicycle_final" / "111013_0.JPG")
    assert items[0].metadata == {"super_label": "bicycle", "super_class_id": "1", "split": "test"}
    assert {item.metadata["super_label"] for item in items} == set(KINDS)


def test_the_other_split_and_both_together_can_be_had(root: Path) -> None:
    train, test, everything = (open_source(root, split=split).items for split in ("train", "test", "all"))
    assert not {item.label for item in train} & {item.label for item in test}
    assert everything == train + test


def test_a_subset_has_whole_products_and_is_the_same_for_the_same_seed(root: Path) -> None:
    def subset(seed: int) -> list[str]:
        return [item.id for item in open_source(root, split="all", products=5, seed=seed).items]

    assert subset(1) == subset(1)
    assert any(subset(seed) != subset(1) for seed in range(2, 6))
    assert len(subset(1)) == 10


def test_more_products_than_there_are_cannot_be_drawn(root: Path) -> None:
    with pytest.raises(SourceError, match=r"has 6 products in this split; 7 cannot be drawn"):
        open_source(root, products=7)


def test_the_name_of_a_choice_says_with_which_arguments_it_is_had_again(root: Path) -> None:
    drawn = open_source(root, split="all", products=3, seed=-4)
    assert source_arguments(drawn.name) == [str(root), "--split", "all", "--products", "3", "--seed", "-4"]
    assert source_arguments(open_source(root).name) == [str(root), "--split", "test"]
    folder = root.with_name(f"{root.name} (train)")
    folder.mkdir()
    assert source_arguments(str(folder)) == [str(folder)], "it is a folder with such a name"
    assert source_arguments(f"{root / 'mug_final'} (test)") is None, "there are no lists of products"
    assert source_arguments("a\0" * 9_000 + " (test)") is None


def test_a_line_that_cannot_be_read_is_named_and_a_missing_photograph_is_skipped(root: Path, tmp_path: Path) -> None:
    path = root / "Ebay_test.txt"
    path.write_text(path.read_text() + "99 98 chair_final/x.JPG\n100 98 2 chair_final/gone.JPG\n")
    gallery = Gallery.build(root, tmp_path / "gallery", model=MODEL)
    assert len(gallery) == 12
    assert [skipped.path for skipped in gallery.manifest.skipped] == [
        f"{path}, line 14",
        str(root / "chair_final" / "gone.JPG"),
    ]


def test_a_missing_split_is_an_error(root: Path) -> None:
    (root / "Ebay_train.txt").unlink()
    with pytest.raises(SourceError, match=r"Ebay_train\.txt cannot be read"):
        open_source(root, split="train")


def test_only_this_dataset_has_splits(pictures: Path) -> None:
    with pytest.raises(SourceError, match="is not Stanford Online Products"):
        open_source(pictures, products=3)
