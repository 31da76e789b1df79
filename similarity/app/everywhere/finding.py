"""One query in many galleries, with one list of results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from similarity.app.faceoff import comparison
from similarity.app.serving.computing import take_turn
from similarity.app.shell.parameters import Link
from similarity.errors import SimilarityError
from similarity.galleries import with_others
from similarity.gallery import Gallery
from similarity.query.ask_all import DEADLINE, ask_all
from similarity.query.fusion import GalleryHit, Standing, fuse, space_of, standing_of
from similarity.search import Hit
from similarity.vectors.arrays import Vectors

RESULTS = 60


@dataclass(frozen=True, slots=True)
class Found:
    """The results in all galleries.

    Attributes:
        hits: best first.
        errors: by name, why a gallery is left out.
    """

    hits: Sequence[GalleryHit]
    errors: Mapping[str, SimilarityError]


def search(galleries: Sequence[Gallery], link: Link) -> Found:
    """Search galleries at once; items of the query are of the first one. Raises SimilarityError if none answers."""
    first, known = galleries[0], {gallery.name: gallery for gallery in galleries}
    vectors: dict[str, Vectors] = {}
    errors: dict[str, SimilarityError] = {}
    for name, gallery in known.items():
        try:
            vectors[name] = comparison.vector_in(first, gallery, link)
        except SimilarityError as error:
            errors[name] = error
    is_one_space = len(set(map(space_of, galleries))) == 1

    def ask(name: str) -> tuple[Sequence[Hit], Standing | None]:
        gallery = known[name]
        hits = comparison.search(gallery, vectors[name], first, link, RESULTS)
        return hits, None if is_one_space else standing_of(gallery.vectors, gallery.index, gallery.state)

    with take_turn():
        answers, unanswered = ask_all(ask, {name: known[name] for name in vectors}, DEADLINE)
    errors |= unanswered
    if not answers:
        raise next(iter(errors.values()))
    return Found([with_others(hit, known, answers) for hit in fuse(answers)[:RESULTS]], errors)
