"""A small ray-marching renderer, and the catalogue of products that the sample gallery shows.

From a model to a picture: products/ (models as parts) -> product.Solid (one distance field) ->
picture.render (camera, studio, ray marching, shading) -> export (JPEGs and tables).
"""

from rendering.catalogue import Photo, gallery, queries
from rendering.export import render_photos, write_texts
from rendering.picture import View, render
from rendering.product import Part, Solid

__all__ = ["Part", "Photo", "Solid", "View", "gallery", "queries", "render", "render_photos", "write_texts"]
