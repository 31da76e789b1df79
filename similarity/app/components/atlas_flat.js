// The pictures of the map where there is no WebGL: the same, drawn one by one.

const LEVELS = [1, 2, 4]; // a sheet is kept this many times smaller, too, for pictures that are drawn small

class FlatSprites {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.shown = [];
  }

  setMap(map) {
    [this.map, this.images, this.shown] = [map, map.sheets.map(() => null), []];
  }

  setSheet(number, image) {
    this.images[number] = LEVELS.map((level) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width / level, image.height / level];
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.imageSmoothingQuality = "high";
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      return canvas;
    });
  }

  setStates(states) {
    this.states = states;
  }

  setSharp(shown, page) {
    if (page) this.page = page;
    this.shown = shown;
  }

  draw(camera, accent) {
    const context = this.context;
    const ratio = this.canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    if (!this.map) return;
    context.strokeStyle = `rgb(${accent.map((share) => 255 * share).join()})`;
    context.lineWidth = edgeOf(camera.size);
    const { points, cells, count, onSheet, cell: side } = this.map;
    const place = Math.max(0, LEVELS.findLastIndex((level) => side / level >= camera.size * ratio));
    const [[across, down], [left, top], size] = [camera.scale, camera.offset, camera.size];
    for (let index = 0; index < count; index += 1) {
      const x = left + (points[2 * index] / 65535) * across;
      const y = top + (points[2 * index + 1] / 65535) * down;
      if (x < -size || y < -size || x > camera.width + size || y > camera.height + size) continue;
      const sheet = this.images[Math.floor(index / onSheet)]?.[place];
      this.drawOne(sheet, cells, 4 * index, x, y, size, this.states[index], LEVELS[place]);
    }
    for (const { index, cell } of this.shown) {
      const [x, y] = camera.toScreen(points[2 * index] / 65535, points[2 * index + 1] / 65535);
      this.drawOne(this.page, cell, 0, x, y, size, this.states[index], 1);
    }
  }

  // `cells` has left, top, width and height from `at`; no array is made, since this runs thousands of times a frame.
  drawOne(image, cells, at, x, y, size, state, level) {
    const context = this.context;
    const w = cells[at + 2];
    const h = cells[at + 3];
    const scale = size / Math.max(w, h);
    const width = w * scale;
    const height = h * scale;
    if (state === DIMMED) context.globalAlpha = DIM_OPACITY;
    if (image) {
      const [left, top] = [x - width / 2, y - height / 2];
      context.drawImage(
        image, cells[at] / level, cells[at + 1] / level, w / level, h / level, left, top, width, height);
    } else {
      context.fillStyle = "rgb(133, 139, 136)";
      context.fillRect(x - width / 2, y - height / 2, width, height);
    }
    if (state === DIMMED) context.globalAlpha = 1;
    if (state === CHOSEN) {
      const edge = edgeOf(size);
      context.strokeRect(x - (width - edge) / 2, y - (height - edge) / 2, width - edge, height - edge);
    }
  }

  release() {}
}

// WebGL where it is fast, or else the canvas; a page that sets `atlasRenderer` to one of these, as tests do, gets that.
function makeSprites(canvas) {
  const wanted = globalThis.atlasRenderer ?? (hasFastGl() ? "webgl" : "canvas");
  try {
    return wanted === "webgl" ? new GlSprites(canvas) : new FlatSprites(canvas);
  } catch {
    return new FlatSprites(canvas);
  }
}
