"""The catalogue: every category with its models, and the list of pictures to render of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rendering.picture import View
from rendering.product import Part
from rendering.products import (
    bag,
    bottle,
    bowl,
    chair,
    clock,
    guitar,
    headphones,
    lamp,
    mug,
    shoe,
    sofa,
    table,
    teapot,
    toy_car,
    vase,
)
from rendering.views import Angles, gallery_view, query_view

VIEWS = 5
QUERIES = 24


class Model(Protocol):
    """Anything that can be photographed: it knows its parts."""

    def parts(self) -> list[Part]:
        """The parts, standing on the plane y = 0."""
        ...


@dataclass(frozen=True)
class Category:
    """A shelf of the shop: its label, its models, and how they are photographed."""

    label: str
    models: Sequence[Model]
    angles: Angles


@dataclass(frozen=True)
class Photo:
    """One picture to take: the folder is `gallery` or `queries`."""

    id: str
    folder: str
    label: str
    product: str
    view_name: str
    build: Callable[[], list[Part]]
    view: View

    @property
    def path(self) -> str:
        """Path of the JPEG below the output folder."""
        return (
            f"{self.folder}/{self.label}/{self.id}.jpg" if self.folder == "gallery" else f"{self.folder}/{self.id}.jpg"
        )


CATEGORIES = (
    Category("bag", bag.MODELS, Angles(swing=46, low=8, high=30)),
    Category("bottle", bottle.MODELS, Angles(swing=60, low=4, high=28)),
    Category("bowl", bowl.MODELS, Angles(swing=70, low=16, high=42)),
    Category("chair", chair.MODELS, Angles(swing=55, low=8, high=28, indoors=True, rear=True)),
    Category("clock", clock.MODELS, Angles(swing=36, low=4, high=20)),
    Category("guitar", guitar.MODELS, Angles(swing=38, low=5, high=20, indoors=True, zoom=0.1)),
    Category("headphones", headphones.MODELS, Angles(swing=58, low=8, high=30)),
    Category("lamp", lamp.MODELS, Angles(swing=50, low=4, high=24)),
    Category("mug", mug.MODELS, Angles(swing=48, low=12, high=40)),
    Category("shoe", shoe.MODELS, Angles(swing=50, low=12, high=38, rear=True)),
    Category("sofa", sofa.MODELS, Angles(swing=44, low=10, high=28, indoors=True)),
    Category("table", table.MODELS, Angles(swing=48, low=10, high=30, indoors=True)),
    Category("teapot", teapot.MODELS, Angles(swing=46, low=10, high=36)),
    Category("toy-car", toy_car.MODELS, Angles(swing=52, low=12, high=36, rear=True)),
    Category("vase", vase.MODELS, Angles(swing=70, low=6, high=30)),
)


def product_name(category: Category, index: int) -> str:
    """The product's name, such as mug-03; index counts from 0."""
    return f"{category.label}-{index + 1:02d}"


def gallery() -> list[Photo]:
    """Five photos of every product, product by product."""
    photos = []
    for shelf, category in enumerate(CATEGORIES):
        for index, model in enumerate(category.models):
            product = product_name(category, index)
            for number in range(1, VIEWS + 1):
                view = gallery_view(product, number, shelf * 3 + index, category.angles)
                photos.append(
                    Photo(f"{product}-{number}", "gallery", category.label, product, str(number), model.parts, view)
                )
    return photos


def queries() -> list[Photo]:
    """One further photo of 24 products, spread over all the categories."""
    photos = []
    for place in range(QUERIES):
        category = CATEGORIES[place % len(CATEGORIES)]
        index = (place * 5 + 2) % len(category.models)
        product = product_name(category, index)
        view = query_view(product, place, category.angles)
        photos.append(
            Photo(f"{product}-q", "queries", category.label, product, "q", category.models[index].parts, view)
        )
    return photos


def photos() -> list[Photo]:
    """All pictures of the sample: the gallery, then the queries."""
    return gallery() + queries()
