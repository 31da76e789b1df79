"""Bags: tote, satchel, bucket, duffel, backpack, clutch, half-moon, basket, shopper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rendering.materials import cloth, leather, matte
from rendering.patterns import stripes
from rendering.product import Part
from rendering.products.bag_carriers import backpack, basket, bucket, duffel
from rendering.products.bag_form import BRASS, Form
from rendering.products.bag_handbags import clutch, moon, satchel, shopper, tote
from rendering.textures import mottled, weave


@dataclass(frozen=True)
class Bag:
    """A bag: the style that builds it, and its form."""

    style: Callable[[Form], list[Part]]
    form: Form

    def parts(self) -> list[Part]:
        """The parts of the style."""
        return self.style(self.form)


TAN = leather("#9c6236")
MODELS = (
    Bag(tote, Form(leather("#b5763f"), leather("#6a3f20"), 0.72, 0.86, 0.3)),
    Bag(satchel, Form(leather("#2d4a3e"), TAN, 0.66, 0.84, 0.2)),
    Bag(bucket, Form(leather(mottled("#c8483f", "#a53430", scale=3.0, contrast=0.5)), leather("#3b1f1d"), 0.48, 0.92)),
    Bag(duffel, Form(cloth(weave("#39465a", "#2b3546", scale=36.0)), TAN, 0.85, 0.72)),
    Bag(backpack, Form(cloth("#e0a32e"), leather("#4b3020"), 0.46, 1.2, 0.26)),
    Bag(clutch, Form(leather("#c98fa5"), BRASS, 0.6, 0.55, 0.2)),
    Bag(moon, Form(leather("#27535c"), leather("#1d3b42"), 0.62, 0.56, 0.17)),
    Bag(basket, Form(matte(weave("#d8b779", "#a98245", scale=18.0)), TAN, 0.66, 0.72)),
    Bag(
        shopper,
        Form(
            cloth(stripes("#f0ece2", "#2f4d7a", period=0.2, axis=0, share=0.45), bump=0.06),
            cloth("#2f4d7a"),
            0.52,
            0.92,
            0.3,
        ),
    ),
)
