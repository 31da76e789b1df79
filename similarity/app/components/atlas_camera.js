// Which part of the map is seen: places on the map are 0 to 1 from the left and from above, those on the screen CSS pixels.

const MAX_ZOOM = 48;
const FLIGHT = 320; // milliseconds
const [SMALLEST, LARGEST_AT_FIRST, LARGEST] = [12, 88, 176];
const GROWTH = 0.8;

const between = (value, low, high) => Math.min(high, Math.max(low, value));
const isStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

class Camera {
  constructor(onChange) {
    [this.width, this.height, this.count] = [1, 1, 1];
    [this.x, this.y, this.zoom] = [0.5, 0.5, 1];
    this.onChange = onChange;
    [this.flight, this.goal] = [0, null];
  }

  resize(width, height, count) {
    [this.width, this.height, this.count] = [width, height, Math.max(1, count)];
    this.keepInside();
  }

  // The longer side of a picture: larger where there are few, growing slower than the map, so that pictures part.
  get size() {
    const first = between(0.9 * Math.sqrt((this.width * this.height) / this.count), SMALLEST, LARGEST_AT_FIRST);
    return Math.min(first * this.zoom ** GROWTH, Math.max(first, LARGEST));
  }

  // Pixels for the whole of the map, at this zoom.
  get scale() {
    const margin = 2 * 12 + between(0.9 * Math.sqrt((this.width * this.height) / this.count), SMALLEST, LARGEST_AT_FIRST);
    return [Math.max(1, this.width - margin) * this.zoom, Math.max(1, this.height - margin) * this.zoom];
  }

  // Screen place of the map's left upper corner.
  get offset() {
    const [across, down] = this.scale;
    return [this.width / 2 - this.x * across, this.height / 2 - this.y * down];
  }

  toScreen(x, y) {
    const [[across, down], [left, top]] = [this.scale, this.offset];
    return [left + x * across, top + y * down];
  }

  toMap(x, y) {
    const [[across, down], [left, top]] = [this.scale, this.offset];
    return [(x - left) / across, (y - top) / down];
  }

  keepInside() {
    this.zoom = between(this.zoom, 1, MAX_ZOOM);
    const room = 0.5 / this.zoom;
    this.x = between(this.x, room - 0.1 * room, 1 - room + 0.1 * room);
    this.y = between(this.y, room - 0.1 * room, 1 - room + 0.1 * room);
    if (this.zoom === 1) [this.x, this.y] = [0.5, 0.5];
  }

  pan(across, down) {
    this.land();
    this.x -= across / this.scale[0];
    this.y -= down / this.scale[1];
    this.keepInside();
    this.onChange();
  }

  // What lies at a place of the screen stays there.
  zoomAt(factor, x, y) {
    this.land();
    const [mapX, mapY] = this.toMap(x, y);
    this.zoom = between(this.zoom * factor, 1, MAX_ZOOM);
    const [across, down] = this.scale;
    this.x = mapX - (x - this.width / 2) / across;
    this.y = mapY - (y - this.height / 2) / down;
    this.keepInside();
    this.onChange();
  }

  // From where a flight leads to, so that none of several quick steps is lost.
  zoomBy(factor) {
    const [x, y, zoom] = this.flight ? this.goal : [this.x, this.y, this.zoom];
    this.flyTo(x, y, zoom * factor);
  }

  fit() {
    this.flyTo(0.5, 0.5, 1);
  }

  fitBox([left, top, right, bottom]) {
    const zoom = 0.8 / Math.max(right - left, bottom - top, 0.02);
    this.flyTo((left + right) / 2, (top + bottom) / 2, zoom);
  }

  flyTo(x, y, zoom) {
    this.land();
    const [from, began] = [[this.x, this.y, Math.log(this.zoom)], performance.now()];
    this.goal = [x, y, between(zoom, 1, MAX_ZOOM)];
    const to = [x, y, Math.log(this.goal[2])];
    const step = (now) => {
      const share = isStill() ? 1 : between((now - began) / FLIGHT, 0, 1);
      const eased = 1 - (1 - share) ** 3;
      const [at, down, logZoom] = from.map((value, place) => value + (to[place] - value) * eased);
      [this.x, this.y, this.zoom] = [at, down, Math.exp(logZoom)];
      this.keepInside();
      this.flight = share < 1 ? requestAnimationFrame(step) : 0;
      this.onChange();
    };
    step(began);
  }

  // End a flight where it is.
  land() {
    cancelAnimationFrame(this.flight);
    this.flight = 0;
  }

  // End a flight where it leads to, for a key that is pressed meanwhile.
  arrive() {
    if (!this.flight) return;
    this.land();
    [this.x, this.y, this.zoom] = this.goal;
    this.keepInside();
    this.onChange();
  }
}
