"""Which file of a group of duplicates is kept."""

from similarity.query.keeping import LARGEST, OLDEST, choose_rule
from similarity.sources import Item


def file(name: str, **facts: object) -> Item:
    known = {"width": 400, "height": 300, "size": 10_000, "sha256": "1" * 64} | facts
    return Item(name, f"/pictures/{name}", **known)  # type: ignore[arg-type]


def test_of_equal_files_one_with_a_label_is_kept() -> None:
    files = [file("Hat_0.jpg"), file("hats/0.jpg", label="hat")]
    assert choose_rule(LARGEST, files)(files) is files[1]
    assert choose_rule(OLDEST, files)(files) is files[1]


def test_of_files_that_differ_by_a_few_bytes_the_first_of_the_group_is_kept() -> None:
    files = [file("original.jpg", size=9_950), file("mirrored.jpg"), file("a.jpg", size=9_000)]
    assert choose_rule(LARGEST, files)(files) is files[0]


def test_a_larger_file_is_kept_though_another_one_has_a_label() -> None:
    files = [file("small.jpg", width=40, label="hat"), file("strong.jpg", size=5_000, label="hat"), file("large.jpg")]
    assert choose_rule(LARGEST, files)(files) is files[2]


def test_of_a_folder_the_largest_is_kept_and_without_one_there_the_largest_of_all() -> None:
    files = [file("hats/small.jpg", width=40), file("hats/0.jpg"), file("1.jpg", width=4_000)]
    rule = choose_rule("/pictures/hats", files)
    assert rule(files) is files[1]
    assert rule([files[2], file("2.jpg")]) is files[2]
