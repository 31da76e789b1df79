// The map of a gallery as an atlas of its pictures. The other parts of this script are before it: camera, sprites,
// sharp pictures, overlay, gestures and panel.

const PICK_NEAR = 6; // pixels beside a small picture that still mean it
const SHARP_FROM = 76; // the size, in pixels of the screen, from which a picture of a sheet looks coarse
const SETTLED = 120; // milliseconds without a change before sharp pictures are fetched
const QUERY_COLOUR = "#ffd21f";

function decode(text, kind = Uint8Array) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new kind(bytes.buffer);
}

function encodeBits(indices, count) {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (const index of indices) bits[index >> 3] |= 1 << (index & 7);
  return btoa(String.fromCharCode(...bits));
}

function readMap(data) {
  const sizes = decode(data.sizes);
  const count = sizes.length / 2;
  const cells = new Uint16Array(4 * count);
  const onSheet = data.inRow ** 2;
  for (let index = 0; index < count; index += 1) {
    const place = index % onSheet;
    cells.set([(place % data.inRow) * data.cell, Math.floor(place / data.inRow) * data.cell,
      sizes[2 * index], sizes[2 * index + 1]], 4 * index);
  }
  return {
    ...data, sizes, cells, count, onSheet, points: decode(data.points, Uint16Array), hashes: decode(data.hashes),
    labelOf: decode(data.labelOf, Uint16Array), clusterOf: decode(data.clusterOf, Uint16Array),
  };
}

class Atlas {
  constructor(root) {
    this.root = root;
    root.atlas = this; // for tests
    const find = (name) => root.querySelector(name);
    this.parts = Object.fromEntries(["view", "pictures", "over", "tip", "card", "groups", "labels", "said"].map(
      (name) => [name, find(`.${name}`)]));
    this.camera = new Camera(() => this.change());
    [this.images, this.map, this.selected] = [[], null, new Set()];
    this.shown = { pointed: null, opened: null, query: null, lasso: [], areNamesHidden: false };
    [this.group, this.label, this.frame, this.settling] = [null, -1, 0, 0];
    this.sharp = new SharpPictures((index) => this.addressOf(index), () => this.showSharp(true));
    this.sprites = makeSprites(this.parts.pictures);
    root.dataset.drawnBy = this.sprites instanceof GlSprites ? "webgl" : "canvas";
    this.overlay = new Overlay(this.parts.over, this);
    this.gestures = new Gestures(this.parts.view, this.camera, this.actions());
    this.watch();
  }

  actions() {
    return {
      point: (x, y) => this.point(this.pick(x, y)),
      leave: () => this.point(null),
      open: (x, y) => this.openAt(x, y),
      openMiddle: () => this.openMiddle(),
      lasso: (path) => Object.assign(this.shown, { lasso: path }) && this.change(true),
      lassoDone: (path) => this.lassoDone(path),
      escape: () => (this.shown.opened === null ? this.select([]) : this.closeCard()),
      hasLasso: () => this.root.classList.contains("lasso"),
    };
  }

  watch() {
    const tools = {
      nearer: () => this.camera.zoomBy(1.6), farther: () => this.camera.zoomBy(1 / 1.6), fit: () => this.camera.fit(),
      query: () => this.showQuery(), lassoing: () => this.switchLasso(),
    };
    for (const [name, act] of Object.entries(tools)) this.root.querySelector(`.tool.${name}`).onclick = act;
    this.parts.labels.onchange = () => {
      this.label = Number(this.parts.labels.value);
      this.restate();
    };
    this.parts.card.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.closeCard();
    });
    this.parts.pictures.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.parts.pictures.addEventListener("webglcontextrestored", () => {
      this.sprites = new GlSprites(this.parts.pictures);
      this.fillSprites();
    });
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.parts.view);
  }

  addressOf(index) {
    const hash = Array.from(this.map.hashes.subarray(32 * index, 32 * index + 32), (byte) => byte.toString(16).padStart(2, "0"));
    return this.map.picture.replace("{sha256}", hash.join(""));
  }

  // Another state of the gallery, or of what is shown of it.
  show(data, send) {
    this.send = send;
    if (data.id !== this.map?.id) this.load(data);
    this.selected = new Set(indicesOf(data.selected, this.map.count));
    this.root.querySelector(".tool.query").hidden = !data.query;
    if (data.query?.src !== this.shown.query?.src || data.query?.x !== this.shown.query?.x) this.loadQuery(data.query);
    if (data.highlight !== this.highlight) {
      this.highlight = data.highlight;
      if (data.highlight !== null) this.flyToPicture(data.highlight);
    }
    this.restate();
  }

  load(data) {
    const isFirst = this.map === null;
    const isSame = this.map?.sheets.join() === data.sheets.join() && this.map.points.length === decode(data.points).length / 2;
    this.map = readMap(data);
    this.parts.view.setAttribute("aria-label", data.alt);
    fillGroups(this.parts.groups, this);
    fillLabels(this.parts.labels, data.labels);
    this.label = -1;
    if (!isSame) {
      [this.images, this.shown.opened, this.shown.pointed, this.parts.card.hidden] = [data.sheets.map(() => null), null, null, true];
      this.sharp = new SharpPictures((index) => this.addressOf(index), () => this.showSharp(true));
      if (!isFirst) Object.assign(this.camera, { x: 0.5, y: 0.5, zoom: 1 });
    }
    this.fillSprites();
    this.resize();
  }

  fillSprites() {
    this.sprites.setMap(this.map);
    this.restate();
    this.map.sheets.forEach((source, number) => {
      if (this.images[number]) return this.sprites.setSheet(number, this.images[number]);
      this.loadSheet(source, number);
      return undefined;
    });
  }

  // As pixels: of a picture that is still a file, browsers may decode all for each part that is drawn.
  async loadSheet(source, number) {
    const image = new Image();
    image.src = source;
    const pixels = await image.decode().then(() => createImageBitmap(image)).catch(() => null);
    if (!pixels || this.map.sheets[number] !== source) return;
    this.images[number] = pixels;
    this.sprites.setSheet(number, pixels);
    this.change();
  }

  loadQuery(query) {
    this.shown.query = query;
    if (!query) return;
    const image = new Image();
    image.onload = () => {
      query.image = image;
      this.change();
    };
    image.src = query.src;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.parts.view;
    if (!width || !height) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [this.parts.pictures, this.parts.over]) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    }
    this.camera.resize(width, height, this.map?.count ?? 1);
    this.isStale = true;
    this.draw(); // at once, since a canvas that changes its size is empty
    this.change();
  }

  // What lies over the pictures can change without them: drawing thousands takes its time where there is no WebGL.
  change(isOverlayOnly = false) {
    this.isStale ||= !isOverlayOnly;
    this.frame ||= requestAnimationFrame(() => this.draw());
    if (isOverlayOnly) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.showSharp(false), SETTLED);
  }

  draw() {
    this.frame = 0;
    const style = getComputedStyle(this.root);
    const read = (name) => style.getPropertyValue(name).trim();
    const accent = read("--st-primary-color");
    const colours = { background: read("--st-background-color"), text: read("--st-text-color"), accent,
      font: style.fontFamily, query: QUERY_COLOUR };
    if (this.isStale) this.sprites.draw(this.camera, sharesOf(accent));
    this.isStale = false;
    this.overlay.draw(this.camera, colours, this.shown);
    if (this.shown.opened !== null) putNear(this.parts.card, this.overlay.rectangle(this.shown.opened), this.camera);
  }
}
