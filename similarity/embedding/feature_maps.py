"""The last feature map of a network, found in its graph, and whether the features are the map's mean.

    exact        features are the mean over the cells: ReduceMean or AvgPool, with nothing but reshaping behind it
    not exact    anything else: a transformer's tokens, or a map with more layers or another pooling behind it

No torch: the graph is OpenVINO's, and a copy of the network is compiled with the map as a second output. That costs no
time worth mentioning: measured on two cores, 14 ms a picture for EfficientNet-Lite2 with the map and without it.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.embedding.engines import OpenVinoEngine, Pixels, run_ahead
from similarity.errors import ModelError
from similarity.threads import need_threads
from similarity.vectors.arrays import Vectors

# Operations that change the layout of values only.
RESHAPING = {"Reshape", "Squeeze", "Unsqueeze", "Convert", "Flatten"}
POOLING = {"ReduceMean", "AvgPool"}
# Parts of a pooling other than the mean (GeM: F. Radenović et al., TPAMI 2018): the map is its input.
POWERS = {"Power", "Clamp", "Maximum"}
# The most tokens of a transformer without a place in the picture: its class token, and registers.
MOST_PREFIX = 8


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """The features and the last feature map of a picture.

    Attributes:
        features: the value of `Engine.run`, float32 (dim,), not normalised.
        cells: the cells of the last map, float32 (rows, columns, channels).
        is_exact: whether the features are the mean of the cells.
    """

    features: Vectors
    cells: npt.NDArray[np.float32]
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the feature map in a network.

    Attributes:
        value: an output of one of its nodes.
        axes: the axes of rows and columns, or the axis of tokens.
        is_exact: see `FeatureMap`.
    """

    value: Any
    axes: tuple[int, ...]
    is_exact: bool


class FeatureMaps:
    """A network that outputs its last feature map beside its features. Safe to share between threads."""

    def __init__(self, engine: OpenVinoEngine, title: str) -> None:
        """Compile a copy of an engine's network; `title` is its name in errors.

        Raises:
            ModelError: it has no feature map.
        """
        self._engine, self._title = engine, title
        model, self._place = self._network()
        self._compiled = engine.compile(model, "LATENCY")

    @property
    def is_exact(self) -> bool:
        """Whether features are the mean of the cells."""
        return self._place.is_exact

    def run(self, pixels: Pixels) -> FeatureMap:
        """Features and feature map of a picture, uint8 (crop, crop, 3), in a request of its own."""
        need_threads()
        outputs = self._compiled.create_infer_request().infer({0: pixels[np.newaxis]})
        return self._seen(outputs[0][0], outputs[1])

    def stream(self, batches: Iterable[Pixels]) -> Iterator[list[FeatureMap]]:
        """Features and feature maps of many pictures in order, as `Engine.stream`; a list for each batch."""
        need_threads()
        for request, count in run_ahead(self._for_many, batches, self._engine.batch):
            features, values = (request.get_output_tensor(number).data for number in (0, 1))
            yield [self._seen(features[place], values[place : place + 1]) for place in range(count)]

    @cached_property
    def _for_many(self) -> Any:
        model, _ = self._network()
        model.reshape([self._engine.batch, *_shape(model.inputs[0])[1:]])
        return self._engine.compile_for_many(model)

    def _network(self) -> tuple[Any, Place]:
        """The network for one picture with its map as a second output, and the map's place."""
        model = self._engine.network_for(1)
        place = find_map(model)
        if place is None:
            raise ModelError(f"{self._title} has no feature map of a picture, so results cannot be explained with it.")
        model.add_outputs([place.value])
        return model, place

    def _seen(self, features: Vectors, values: npt.NDArray[np.float32]) -> FeatureMap:
        """A copy of the features, (dim,), and of the map, (1, ...), of a picture."""
        cells = np.array(_cells(np.asarray(values, np.float32), self._place.axes), order="C")
        return FeatureMap(features.copy(), cells, self._place.is_exact)


def find_map(model: Any) -> Place | None:
    """Find the last feature map of an OpenVINO model for one picture, (1, side, side, 3) -> (1, dim)."""
    result = model.get_results()[0].input_value(0)
    return _find_pooled_map(result) or _nearest_map(result, _shape(model.inputs[0])[1])


def _find_pooled_map(value: Any) -> Place | None:
    """The map whose mean the features are, if they are a mean."""
    while value.get_node().get_type_name() in RESHAPING:
        value = value.get_node().input_value(0)
    node = value.get_node()
    if node.get_type_name() not in POOLING:
        return None
    source = node.input_value(0)
    shape = _shape(source)
    if node.get_type_name() == "AvgPool":
        return Place(source, (2, 3), True) if len(shape) == 4 and _shape(value)[2:] == [1, 1] else None
    axes = tuple(sorted(int(axis) % len(shape) for axis in np.ravel(node.input_value(1).get_node().get_data())))
    is_grid = (len(shape), axes) in ((4, (2, 3)), (4, (1, 2)))
    is_tokens = (len(shape), axes) == (3, (1,)) and _prefix(shape[1]) == 0
    return Place(source, axes, True) if is_grid or is_tokens else None


def _nearest_map(result: Any, side: int) -> Place | None:
    """The map nearest to the features; in a transformer preferably one of the features' length.

    Args:
        side: side of the picture, in pixels; a value that is not coarser is the picture itself.
    """
    first: Place | None = None
    for value in _backwards(result):
        shape, kind = _shape(value), value.get_node().get_type_name()
        if kind in RESHAPING | POWERS:
            continue
        if len(shape) == 3 and shape[0] == 1 and shape[1] > 1 and _prefix(shape[1]) is not None:
            place = Place(value, (1,), False)
            if shape[2] == _shape(result)[-1]:
                return place
            first = first or place
        elif len(shape) == 4 and kind != "ScaledDotProductAttention" and first is None:
            for axes in ((2, 3), (1, 2)):
                if 1 < shape[axes[0]] == shape[axes[1]] < side:
                    return Place(value, axes, False)
    return first


def _backwards(value: Any) -> Iterator[Any]:
    """All values that a value is computed from, the nearest first, without constants."""
    waiting, seen = deque([value]), set()
    while waiting:
        value = waiting.popleft()
        node = value.get_node()
        key = (node.get_friendly_name(), value.get_index())
        if key in seen or node.get_type_name() == "Constant":
            continue
        seen.add(key)
        yield value
        waiting.extend(node.input_value(number) for number in range(node.get_input_size()))


def _shape(value: Any) -> list[int]:
    """The shape of a value, with 0 for unknown sizes."""
    return [size.get_length() if size.is_static else 0 for size in value.get_partial_shape()]


def _prefix(tokens: int) -> int | None:
    """Number of tokens before those that form a square grid; None if there is no such number."""
    for count in range(min(MOST_PREFIX, tokens - 1) + 1):
        if math.isqrt(tokens - count) ** 2 == tokens - count:
            return count
    return None


def _cells(values: npt.NDArray[np.float32], axes: Sequence[int]) -> npt.NDArray[np.float32]:
    """Rearrange a map (1, ...) as (rows, columns, channels)."""
    if len(axes) == 2:
        return np.moveaxis(values[0], [axis - 1 for axis in axes], [0, 1])
    tokens = values[0, _prefix(values.shape[1]) or 0 :]
    side = math.isqrt(len(tokens))
    return tokens.reshape(side, side, -1)
