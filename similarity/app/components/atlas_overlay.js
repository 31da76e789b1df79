// What is drawn over the pictures: names of groups, rings around the query's nearest, the query itself, and the lasso.

const NAME_FONT = "600 13px";
const NAME_HEIGHT = 24;
const MARK = 52; // the side of the query
const TYPICAL = 40; // and of the picture that names a group without a label
const NAMES_EVERY = 26_000; // square pixels for each name
const LONGEST_NAME = 22;

class Overlay {
  constructor(canvas, atlas) {
    [this.canvas, this.context, this.atlas] = [canvas, canvas.getContext("2d"), atlas];
    this.names = []; // those drawn: { group, left, top, right, bottom }
  }

  draw(camera, colours, state) {
    const context = this.context;
    const ratio = this.canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    [this.camera, this.colours, this.names] = [camera, colours, []];
    if (!this.atlas.map) return;
    if (state.query) for (const index of state.query.nearest) this.ring(index, colours.query, 3);
    if (state.pointed !== null) this.enlarge(state.pointed);
    if (state.opened !== null) this.ring(state.opened, colours.accent, 4);
    if (!state.areNamesHidden) this.drawNames(camera);
    if (state.query) this.drawQuery(state.query);
    if (state.lasso.length > 1) this.drawLasso(state.lasso);
  }

  rectangle(index, grown = 0) {
    const { map } = this.atlas;
    const [x, y] = this.camera.toScreen(map.points[2 * index] / 65535, map.points[2 * index + 1] / 65535);
    const [w, h] = [map.sizes[2 * index], map.sizes[2 * index + 1]];
    const size = Math.max(this.camera.size, grown);
    const [width, height] = [(w / Math.max(w, h)) * size, (h / Math.max(w, h)) * size];
    return [x - width / 2, y - height / 2, width, height];
  }

  ring(index, colour, width) {
    const [left, top, across, down] = this.rectangle(index);
    const context = this.context;
    for (const [strokeStyle, lineWidth] of [[this.colours.background, width + 3], [colour, width]]) {
      Object.assign(context, { strokeStyle, lineWidth });
      context.strokeRect(left - 1.5, top - 1.5, across + 3, down + 3);
    }
  }

  enlarge(index) {
    const box = this.rectangle(index, 34);
    const context = this.context;
    context.save();
    Object.assign(context, { shadowColor: "rgba(0, 0, 0, 0.5)", shadowBlur: 8, fillStyle: this.colours.background });
    context.fillRect(box[0] - 2, box[1] - 2, box[2] + 4, box[3] + 4);
    context.restore();
    this.drawPicture(index, box);
  }

  drawPicture(index, box) {
    const { map, images } = this.atlas;
    const image = images[Math.floor(index / map.onSheet)];
    if (image) this.context.drawImage(image, ...map.cells.subarray(4 * index, 4 * index + 4), ...box);
  }

  // The largest groups first; a name that would lie over another is left out, until one zooms in.
  drawNames(camera) {
    const most = Math.max(4, Math.floor((camera.width * camera.height) / NAMES_EVERY));
    this.context.font = `${NAME_FONT} ${this.colours.font}`;
    for (const [number, group] of this.atlas.map.clusters.entries()) {
      if (this.names.length >= most) break;
      const [x, y] = camera.toScreen(group.middle[0] / 65535, group.middle[1] / 65535);
      const text = group.name.length > LONGEST_NAME ? `${group.name.slice(0, LONGEST_NAME - 1)}…` : group.name;
      const [width, height] = text ? [this.context.measureText(text).width + 18, NAME_HEIGHT] : [TYPICAL, TYPICAL];
      if (x < width / 2 || y < height / 2 || x > camera.width - width / 2 || y > camera.height - height / 2) continue;
      const box = { number, left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
      const isFree = this.names.every((one) => one.right + 8 < box.left || box.right + 8 < one.left
        || one.bottom + 6 < box.top || box.bottom + 6 < one.top);
      if (!isFree) continue;
      this.names.push(box);
      if (text) this.drawName(text, box);
      else this.drawTypical(group.typical, box);
    }
  }

  drawName(text, { left, top, right, bottom }) {
    const context = this.context;
    context.save();
    context.globalAlpha = 0.92;
    this.pill(left, top, right - left, bottom - top, this.colours.background);
    context.restore();
    this.outline();
    Object.assign(context, { fillStyle: this.colours.text, textAlign: "center", textBaseline: "middle" });
    context.fillText(text, (left + right) / 2, (top + bottom) / 2 + 0.5);
  }

  pill(left, top, width, height, fillStyle) {
    const context = this.context;
    context.fillStyle = fillStyle;
    context.beginPath();
    context.roundRect(left, top, width, height, 8);
    context.fill();
  }

  // The edge of the pill that was drawn last.
  outline() {
    const context = this.context;
    Object.assign(context, { globalAlpha: 0.35, strokeStyle: this.colours.text, lineWidth: 1 });
    context.stroke();
    context.globalAlpha = 1;
  }

  drawTypical(index, { left, top, right, bottom }) {
    this.pill(left - 3, top - 3, right - left + 6, bottom - top + 6, this.colours.background);
    this.outline();
    const { map } = this.atlas;
    const [w, h] = [map.sizes[2 * index], map.sizes[2 * index + 1]];
    const [width, height] = [(w / Math.max(w, h)) * TYPICAL, (h / Math.max(w, h)) * TYPICAL];
    this.drawPicture(index, [(left + right - width) / 2, (top + bottom - height) / 2, width, height]);
  }

  drawQuery({ x, y, image }) {
    const [across, down] = this.camera.toScreen(x / 65535, y / 65535);
    const [left, top] = [across - MARK / 2, down - MARK / 2];
    this.pill(left - 4, top - 4, MARK + 8, MARK + 8, this.colours.query);
    if (image) {
      const scale = MARK / Math.max(image.naturalWidth, image.naturalHeight);
      const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
      this.context.drawImage(image, across - width / 2, down - height / 2, width, height);
    }
    this.context.font = `${NAME_FONT} ${this.colours.font}`;
    const width = this.context.measureText("Your query").width + 16;
    this.pill(across - width / 2, top - 30, width, 22, this.colours.query);
    Object.assign(this.context, { fillStyle: "#1c2321", textAlign: "center", textBaseline: "middle" });
    this.context.fillText("Your query", across, top - 18.5);
  }

  drawLasso(path) {
    const context = this.context;
    context.beginPath();
    path.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    Object.assign(context, { fillStyle: this.colours.accent, strokeStyle: this.colours.accent, lineWidth: 2 });
    context.globalAlpha = 0.15;
    context.fill();
    context.globalAlpha = 1;
    context.setLineDash([6, 4]);
    context.stroke();
    context.setLineDash([]);
  }

  // The group whose name is at a place on the screen.
  nameAt(x, y) {
    return this.names.find((one) => x >= one.left && x <= one.right && y >= one.top && y <= one.bottom)?.number ?? null;
  }
}
