"""A small ray-marching renderer, and the catalogue of products that the sample gallery shows.

From a model to a picture: products/ (models as parts) -> product.Solid (one distance field) ->
picture.render (camera, studio, ray marching, shading) -> export (JPEGs and tables).
"""

from similarity.rendering.catalogue import Photo, gallery, queries
from similarity.rendering.export import render_photos, write_texts
from similarity.rendering.picture import View, render
from similarity.rendering.product import Part, Solid

__all__ = ["Part", "Photo", "Solid", "View", "gallery", "queries", "render", "render_photos", "write_texts"]
