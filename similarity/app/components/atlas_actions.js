// What a visitor does with the map, as further methods of it; then the element itself.

function indicesOf(text, count) {
  const bits = decode(text || "");
  return Array.from({ length: count }, (_, index) => index).filter((index) => bits[index >> 3] & (1 << (index & 7)));
}

// A colour of the theme, #rrggbb, as shares.
function sharesOf(colour) {
  const number = Number.parseInt(colour.replace("#", ""), 16) || 0;
  return [number >> 16, (number >> 8) & 255, number & 255].map((channel) => channel / 255);
}

Object.assign(Atlas.prototype, {
  isDimmed(index) {
    if (this.group !== null) return this.map.clusterOf[index] !== this.group;
    if (this.label >= 0) return this.map.labelOf[index] !== this.label;
    return false;
  },

  // Which pictures are chosen, and which are dim: those of other groups or labels, or all that are not chosen.
  restate() {
    const states = new Uint8Array(this.map.count).fill(PLAIN);
    const hasChosen = this.selected.size > 0;
    for (let index = 0; index < states.length; index += 1) {
      if (this.isDimmed(index)) states[index] = DIMMED;
      else if (this.selected.has(index)) states[index] = CHOSEN;
      else if (hasChosen && this.group === null) states[index] = DIMMED;
    }
    this.sprites.setStates(states);
    this.sprites.setSharp(this.sharp.there());
    this.change();
  },

  // The picture at a place on the screen: the uppermost, or the nearest one beside it.
  pick(x, y, near = PICK_NEAR) {
    const { points, sizes, count } = this.map;
    const [[across, down], [left, top], size] = [this.camera.scale, this.camera.offset, this.camera.size];
    let [best, nearest] = [null, near];
    const tops = new Map(this.sharp.there().map(({ index }, place) => [index, place]));
    let bestTop = -1;
    for (let index = 0; index < count; index += 1) {
      if (this.label >= 0 && this.isDimmed(index)) continue;
      const [w, h] = [sizes[2 * index], sizes[2 * index + 1]];
      const longest = Math.max(w, h);
      const aside = Math.abs(x - left - (points[2 * index] / 65535) * across) - (w / longest) * size / 2;
      const above = Math.abs(y - top - (points[2 * index + 1] / 65535) * down) - (h / longest) * size / 2;
      const far = Math.max(0, aside, above);
      const isTop = far === 0 && nearest === 0 && (tops.get(index) ?? -1) >= bestTop;
      if (far < nearest || isTop) [best, nearest, bestTop] = [index, far, tops.get(index) ?? -1];
    }
    return best;
  },

  point(index) {
    if (index === this.shown.opened) index = null;
    if (index !== this.shown.pointed) {
      this.shown.pointed = index;
      this.change(true);
    }
    this.parts.view.classList.toggle("pointing", index !== null);
    if (this.overlay.camera) showTip(this.parts.tip, index, this, index === null ? null : this.overlay.rectangle(index, 34));
  },

  openAt(x, y) {
    const group = this.overlay.nameAt(x, y);
    const index = this.pick(x, y);
    if (group !== null) this.showGroup(group);
    else if (index !== null) this.openCard(index);
    else this.closeCard();
  },

  // For keys: names of groups are not in the way, since the list has them, too, and the nearest picture is near enough.
  openMiddle() {
    this.camera.arrive();
    const middle = [this.camera.width / 2, this.camera.height / 2];
    const index = this.pick(...middle, Math.min(...middle));
    if (index === null) this.closeCard();
    else this.openCard(index);
  },

  openCard(index) {
    this.point(null);
    this.shown.opened = index;
    const button = showCard(this.parts.card, index, this, this.overlay.rectangle(index));
    button.focus({ preventScroll: true });
    this.change();
  },

  closeCard() {
    if (this.shown.opened === null) return;
    const hadFocus = this.parts.card.contains(this.root.getRootNode().activeElement);
    [this.shown.opened, this.parts.card.hidden] = [null, true];
    if (hadFocus) this.parts.view.focus({ preventScroll: true });
    this.change();
  },

  flyToPicture(index) {
    const [x, y] = [this.map.points[2 * index] / 65535, this.map.points[2 * index + 1] / 65535];
    this.camera.flyTo(x, y, Math.max(this.camera.zoom, 4));
    this.point(null);
    this.shown.opened = index;
    this.draw();
    showCard(this.parts.card, index, this, this.overlay.rectangle(index));
  },

  showGroup(number) {
    const { name, count, box } = this.map.clusters[number];
    this.closeCard();
    this.camera.fitBox(box.map((edge) => edge / 65535));
    this.say(`${name || "A group"}: ${countOf(count)}.`);
  },

  // The query with its nearest pictures.
  showQuery() {
    const { x, y, nearest } = this.shown.query;
    const across = [x, ...nearest.map((index) => this.map.points[2 * index])];
    const down = [y, ...nearest.map((index) => this.map.points[2 * index + 1])];
    const [left, right] = [Math.min(...across), Math.max(...across)];
    const [top, bottom] = [Math.min(...down), Math.max(...down)];
    const room = Math.max(right - left, bottom - top, 4000) * 0.2;
    this.camera.fitBox([left - room, top - room, right + room, bottom + room].map((edge) => edge / 65535));
    this.say("Your query, with its nearest pictures ringed.");
  },

  membersOf(number) {
    return Array.from(this.map.clusterOf.keys()).filter((index) => this.map.clusterOf[index] === number);
  },

  emphasise(number) {
    this.group = number;
    this.restate();
  },

  switchLasso() {
    const isOn = this.root.classList.toggle("lasso");
    this.root.querySelector(".tool.lassoing").setAttribute("aria-pressed", String(isOn));
    this.say(isOn ? LASSO_HINT : "Drag to move the map.");
  },

  lassoDone(path) {
    const { points, count } = this.map;
    const inside = [];
    for (let index = 0; index < count; index += 1) {
      if (this.label >= 0 && this.isDimmed(index)) continue;
      const at = this.camera.toScreen(points[2 * index] / 65535, points[2 * index + 1] / 65535);
      if (isInside(at, path)) inside.push(index);
    }
    if (this.root.classList.contains("lasso")) this.switchLasso();
    this.select(inside);
  },

  select(indices) {
    if (!indices.length && !this.selected.size) return;
    this.closeCard();
    this.selected = new Set(indices);
    this.say(indices.length ? `${countOf(indices.length)} selected.` : "Nothing is selected.");
    this.restate();
    this.send("select", { of: this.map.id, places: encodeBits(indices, this.map.count) });
  },

  say(text) {
    this.parts.said.textContent = text;
  },

  // Fetch sharp pictures for those in sight that are large, the middle first, and draw those that are there.
  showSharp(hasNew) {
    if (!this.map) return;
    const { camera, map } = this;
    const isLarge = camera.size * Math.min(2, window.devicePixelRatio || 1) > SHARP_FROM;
    const seen = [];
    for (let index = 0; isLarge && !hasNew && index < map.count; index += 1) {
      const [x, y] = camera.toScreen(map.points[2 * index] / 65535, map.points[2 * index + 1] / 65535);
      const isSeen = x > -camera.size && y > -camera.size && x < camera.width + camera.size && y < camera.height + camera.size;
      if (isSeen) seen.push([Math.hypot(x - camera.width / 2, y - camera.height / 2), index]);
    }
    const there = hasNew ? this.sharp.there() : this.sharp.want(seen.sort((a, b) => a[0] - b[0]).map(([, index]) => index));
    this.sprites.setSharp(there, hasNew ? this.sharp.page : undefined);
    this.isStale = true;
    this.frame ||= requestAnimationFrame(() => this.draw());
  },

  release() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
    this.camera.land();
    this.sprites.release();
  },
});

const atlases = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".atlas");
  if (!atlases.has(root)) atlases.set(root, new Atlas(root));
  atlases.get(root).show(data, setTriggerValue);
  // Streamlit also cleans up after a call that a newer one has overtaken, while the element stays.
  return () => setTimeout(() => {
    if (root.isConnected) return;
    atlases.get(root)?.release();
    atlases.delete(root);
  });
}
