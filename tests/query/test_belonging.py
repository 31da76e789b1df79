"""Whether a query belongs to a gallery: the share of its own pictures that are no nearer to others of it."""

import numpy as np
import pytest

from similarity.query.belonging import (
    MIN_PICTURES,
    MOST_PICTURES,
    NOTHING_LIKE,
    WITHOUT_DOUBT,
    Belonging,
    find_things,
    measure_belonging,
    weight,
)
from similarity.vectors.arrays import Vectors


class InMemory:
    """Embeddings, in blocks of 100."""

    def __init__(self, rows: Vectors) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: object) -> Vectors:
        chosen: Vectors = self.rows[key]  # type: ignore[call-overload]
        return chosen

    def blocks(self) -> list[tuple[int, Vectors]]:
        return [(start, self.rows[start : start + 100]) for start in range(0, len(self.rows), 100)]


def unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def kinds(count: int, of_each: int, spread: float, seed: int = 0) -> Vectors:
    """Embeddings around some directions; the larger the spread, the less alike are those of one direction."""
    drawn = np.random.default_rng(seed)
    directions = unit(drawn.normal(size=(count, 64)))
    return unit(np.repeat(directions, of_each, axis=0) + spread * drawn.normal(size=(count * of_each, 64)) / 8)


def test_a_share_is_the_rank_among_the_gallerys_own_pictures() -> None:
    belonging = Belonging(tuple(np.linspace(0.5, 0.9, 101).tolist()))
    assert belonging.share(0.1) == 0
    assert belonging.share(0.7) == pytest.approx(51 / 101)
    assert belonging.share(1.0) == 1


def test_pictures_of_its_kinds_belong_to_a_gallery_and_others_do_not() -> None:
    embeddings = kinds(8, 41, 0.8)
    inside = np.arange(len(embeddings)) % 41 > 0
    belonging = measure_belonging(InMemory(embeddings[inside]))
    assert belonging
    queries = (embeddings[~inside] @ embeddings[inside].T).max(axis=1)
    strangers = (kinds(50, 1, 0.0, seed=1) @ embeddings[inside].T).max(axis=1)
    assert min(map(belonging.share, queries.tolist())) > 0.05
    assert max(map(belonging.share, strangers.tolist())) < NOTHING_LIKE


def test_a_new_thing_of_a_kind_belongs_where_a_column_says_which_pictures_show_the_same_thing() -> None:
    drawn = np.random.default_rng(2)
    things = kinds(5, 21, 0.9)  # 21 things of each of five kinds
    views = unit(np.repeat(things, 4, axis=0) + 0.5 * drawn.normal(size=(4 * len(things), 64)) / 8)
    numbers = np.repeat(np.arange(len(things)), 4)
    is_new = numbers % 21 == 0
    belonging, naive = (
        measure_belonging(InMemory(views[~is_new]), of) for of in (numbers[~is_new].astype(np.int64), None)
    )
    assert belonging
    assert naive
    new = (views[is_new] @ views[~is_new].T).max(axis=1)
    shares = np.array(list(map(belonging.share, new.tolist())))
    assert (shares < NOTHING_LIKE).mean() <= 0.05
    assert (np.array(list(map(naive.share, new.tolist()))) < shares).all()


def test_copies_and_look_alikes_of_a_picture_do_not_say_how_near_another_one_must_be() -> None:
    embeddings = kinds(40, 1, 0.0)
    twice = np.concatenate([embeddings, embeddings])
    once, doubled = measure_belonging(InMemory(embeddings)), measure_belonging(InMemory(twice))
    assert once
    assert doubled
    assert set(np.round(doubled.cosines, 5)) == set(np.round(once.cosines, 5))


def test_too_few_pictures_say_nothing() -> None:
    assert measure_belonging(InMemory(kinds(MIN_PICTURES - 1, 1, 0.0))) is None
    assert measure_belonging(InMemory(kinds(MIN_PICTURES, 1, 0.0))) is not None
    same = np.repeat(kinds(1, 1, 0.0), 50, axis=0)
    assert measure_belonging(InMemory(same)) is None, "all are copies of one"


def test_of_a_large_gallery_some_pictures_are_compared_with_all_others() -> None:
    embeddings = kinds(30, 100, 0.8)
    belonging = measure_belonging(InMemory(embeddings))
    assert belonging
    assert len(belonging.cosines) == MOST_PICTURES
    every = np.sort((embeddings @ embeddings.T - 2 * np.eye(len(embeddings))).max(axis=1))
    assert np.abs(np.quantile(belonging.cosines, [0.05, 0.5]) - np.quantile(every, [0.05, 0.5])).max() < 0.02


def test_progress_is_told_until_all_are_compared() -> None:
    heard: list[tuple[int, int | None]] = []
    measure_belonging(InMemory(kinds(5, 50, 0.8)), progress=lambda step: heard.append((step.done, step.total)))
    assert heard[-1] == (250, 250)


def test_a_chance_counts_less_the_more_doubtful_it_is_that_the_query_belongs() -> None:
    assert weight(0.001) == weight(NOTHING_LIKE) == 0
    assert 0 < weight(0.03) < weight(0.06) < 1
    assert weight(WITHOUT_DOUBT) == weight(1) == 1


def rows_of(values: list[str]) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return {value: np.flatnonzero(np.array(values) == value) for value in dict.fromkeys(values)}


def test_the_column_that_names_things_has_few_pictures_for_each_value_and_these_of_one_label() -> None:
    labels = ["mug"] * 30 + ["bag"] * 30
    products = [f"p{number // 3}" for number in range(60)]
    views, shots = [str(number % 3) for number in range(60)], [str(number) for number in range(60)]
    mixed = [str(number % 20) for number in range(60)]  # three of each, of both labels
    columns = {"label": labels, "view": views, "shot": shots, "mixed": mixed}
    assert find_things(60, {name: rows_of(values) for name, values in columns.items()}) is None
    found = find_things(60, {name: rows_of(values) for name, values in (columns | {"product": products}).items()})
    assert found is not None
    assert [len(set(found[start : start + 3].tolist())) for start in range(0, 60, 3)] == [1] * 20
    assert len(set(found.tolist())) == 20


def test_things_are_found_without_labels_too_and_a_picture_without_a_value_is_its_own_thing() -> None:
    products = [f"p{number // 3}" for number in range(60)] + ["", ""]
    columns = {"product": {value: rows for value, rows in rows_of(products).items() if value}}
    found = find_things(62, columns)
    assert found is not None
    assert len(set(found.tolist())) == 22


def test_cosines_are_read_as_they_were_written_and_nothing_else_is() -> None:
    belonging = measure_belonging(InMemory(kinds(8, 20, 0.8)))
    assert belonging
    assert Belonging.from_json(belonging.to_json()).cosines == pytest.approx(belonging.cosines, abs=1e-5)
    good = belonging.to_json()
    for wrong in (None, {}, "0.5", good[::-1], good[:5], [*good[:-1], 7.0], [*good[:-1], float("nan")], [good], ["a"]):
        with pytest.raises(ValueError, match="not the cosines"):
            Belonging.from_json(wrong)
