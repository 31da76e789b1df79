// A grid of pictures in justified rows, of which only those near the window are in the page; the layout of rows is in
// tiles_layout.js, and what one picture looks like in tiles_one.js.

const NARROW = 640;
const [LINE, TOUCHED, CAPTION_GAP] = [20, 40, 6];
// Pictures lower than this have nothing below them.
const DENSE = 110;
const [SIZE, SELECT, CAN_SELECT] = ["similarity-tile-height", "similarity-select", "similarity-can-select"];
const CLOSED = "similarity-closed";
// So many pictures before those that are asked for are drawn, the next ones are; so many are outlined if nothing is known of them.
const [AHEAD, OUTLINED] = [24, 60];
const HEADER = 72;
const CHANCE = ["chance"];
const ALL_LINES = [["score", "label"], CHANCE, ["name"], ["note"]];
// Probabilities are of the first results only, which come at once.
const FIRST = 100;
const grids = new WeakMap();
let heightNow = 0;

const isTouch = () => window.matchMedia("(hover: none)").matches;
const keyOf = (ids) => JSON.stringify([...ids]);

// The height of pictures that this browser has been set to, in pixels.
function chosenHeight() {
  let stored = heightNow;
  try {
    stored ||= Number(localStorage.getItem(SIZE));
  } catch { /* a browser that stores nothing has the usual size */ }
  return stored >= 40 && stored <= 600 ? stored : window.innerWidth <= NARROW ? 140 : 180;
}

function scrollerOf(list) {
  let node = list.getRootNode().host ?? list.parentElement;
  while (node && !/auto|scroll/.test(getComputedStyle(node).overflowY)) node = node.parentElement;
  return node ?? document.scrollingElement;
}

class Grid {
  constructor(list) {
    Object.assign(this, { list, drawn: new Map(), spare: new Map(), tiles: [], geometry: { rows: [], boxes: [] } });
    Object.assign(this, { current: 0, selected: new Set(), unanswered: [], answered: "[]", listing: null });
    list.addEventListener("keydown", (event) => this.move(event));
    list.addEventListener("focusin", (event) => this.settleOn(event.target.closest("li")?.place));
    new ResizeObserver(() => list.clientWidth !== this.width && this.arrange()).observe(list);
  }

  watch() {
    if (this.isWatching) return;
    this.isWatching = true;
    let isAsked = false;
    const later = (work) => () => {
      if (!this.list.isConnected) {
        this.isWatching = false;
        document.removeEventListener("scroll", onScroll, true);
        window.removeEventListener(SIZE, onSize);
        window.removeEventListener(SELECT, onSelect);
        document.removeEventListener(CLOSED, onClosed);
      } else if (!isAsked) {
        isAsked = true;
        requestAnimationFrame(() => {
          isAsked = false;
          work();
        });
      }
    };
    const onScroll = later(() => this.render());
    const arrange = later(() => this.arrange());
    const onSize = (event) => {
      heightNow = event.detail;
      arrange();
    };
    const onSelect = (event) => {
      this.list.classList.toggle("choosing", Boolean(this.selects && event.detail));
      if (!event.detail && this.selected.size) this.deselect();
      else this.showSelection();
    };
    // Whoever closes a dialog with a picture is at that one; see lightbox_closing.js.
    const onClosed = ({ detail }) => {
      const place = this.tiles.findIndex((tile) => tile.id === detail);
      if (place >= 0) this.focus(place, false);
    };
    document.addEventListener(CLOSED, onClosed);
    document.addEventListener("scroll", onScroll, { capture: true, passive: true });
    window.addEventListener(SIZE, onSize);
    window.addEventListener(SELECT, onSelect);
  }

  update(data, send) {
    const listing = data.listing ?? { name: "", query: "", total: 0, start: 0, at: 0, ratios: [], is_captioned: true };
    const isSame = data.listing && listing.name && listing.name === this.listing?.name;
    const before = this.listing;
    const focused = this.list.getRootNode().activeElement;
    const held = this.list.contains(focused) ? { of: focused.dataset.of, place: this.focusedPlace() } : null;
    Object.assign(this, { send, listing, isSmall: data.small, selects: data.selects, isAsking: false });
    if (!isSame) this.anchor = undefined;
    if (isSame && listing.start <= this.tiles.length) this.tiles.splice(listing.start, data.tiles.length, ...data.tiles);
    else this.tiles = listing.start ? [] : data.tiles;
    this.total = Math.max(listing.total, this.tiles.length);
    for (const item of this.drawn.values()) if (item.tile) this.spare.set(item.tile.id, item);
    this.drawn.clear();
    if (!isSame || !this.lines) this.lines = this.findLines();
    if (data.listing && !isSame) this.offerSelecting();
    this.adopt(data.selected);
    this.watch();
    this.arrange();
    this.spare.clear();
    this.showSelection();
    if (held) this.holdFocus(held);
    if (listing.query && listing.query !== before?.query) this.begin(listing);
    else if (listing.at && listing.at !== before?.at) this.comeTo(listing.at);
  }

  // Tell the switch for selecting, which is not of this element, whether there is anything to select.
  offerSelecting() {
    this.list.classList.remove("choosing");
    document.documentElement.toggleAttribute(`data-${CAN_SELECT}`, Boolean(this.selects));
    window.dispatchEvent(new CustomEvent(CAN_SELECT));
  }

  // Which lines of text there are, in all tiles of a listing, so that rows are equally high.
  findLines() {
    const has = (kinds) => this.tiles.some((tile) => kinds.some((kind) => kind === "score" ? tile.score !== null : tile[kind]));
    if (this.listing.is_captioned) return ALL_LINES.filter(has);
    return [["score", "label", "note"], CHANCE].filter(has);
  }

  // Lay all pictures out; what one looks at stays where it is.
  arrange() {
    const { list, listing } = this;
    this.width = list.clientWidth;
    if (!this.width) return;
    const seen = this.seen();
    const known = this.total && listing.ratios.length ? listing.ratios : this.tiles.map((tile) => tile.ratio ?? 1);
    const unknown = Math.max(0, Math.min(this.total - known.length, OUTLINED));
    const ratios = [...known, ...Array(unknown).fill(0.75)];
    const gap = this.isSmall ? 8 : this.width < NARROW ? 8 : 12;
    const wanted = this.isSmall ? smallHeight(ratios, this.width, gap) : listing.is_captioned ? 150 : chosenHeight();
    this.isDense = !listing.is_captioned && wanted < DENSE;
    const hasThumbs = isTouch() && this.tiles.some((tile) => "wanted" in tile);
    const bandOf = (row) => this.captionsOf(row) + (hasThumbs ? TOUCHED : 0);
    const least = hasThumbs ? 76 : listing.is_captioned && !this.isSmall ? 140 : 0;
    this.geometry = justify(ratios, { width: this.width, wanted, gap: this.isDense ? 6 : gap, bandOf, least });
    this.look = `${this.isDense} ${JSON.stringify(this.lines)} ${this.selects}`;
    list.classList.toggle("small", Boolean(this.isSmall));
    list.classList.toggle("dense", this.isDense);
    list.style.height = `${this.geometry.height}px`;
    if (seen) this.scroller().scrollTop += this.topOf(seen.place) + list.getBoundingClientRect().top - seen.y;
    this.render();
  }

  // The height of what is written below a row: where no tile of it has anything to say in the last line, without it. A
  // copy has a badge instead, which may come later and is to move nothing.
  captionsOf({ first, end }) {
    if (this.isDense || !this.lines.length) return 0;
    const last = this.lines.at(-1);
    const isShort = last === CHANCE && !this.tiles.slice(first, Math.min(end, FIRST)).some((tile) => tile.chance || tile.copy);
    return (this.lines.length - Number(isShort)) * LINE + CAPTION_GAP;
  }

  scroller() {
    return scrollerOf(this.list);
  }

  topOf(place) {
    return rowOf(this.geometry.rows, place)?.top ?? 0;
  }

  // The first picture that is in sight, if the grid has been scrolled, and where.
  seen() {
    const top = this.list.getBoundingClientRect().top;
    const { rows } = this.geometry;
    if (!rows.length || top >= HEADER) return null;
    const row = rows[rowAt(rows, HEADER - top)];
    return { place: row.first, y: row.top + top };
  }

  render() {
    const { rows } = this.geometry;
    if (!rows.length) return;
    const { top } = this.list.getBoundingClientRect();
    const first = rows[rowAt(rows, -top - window.innerHeight)].first;
    const { end } = rows[rowAt(rows, -top + 2 * window.innerHeight)];
    const held = this.focusedPlace();
    for (const place of [...this.drawn.keys()]) {
      if ((place < first || place >= end) && place !== held) this.drawn.delete(place);
    }
    if (!this.drawn.has(this.current) && (this.current < first || this.current >= end)) this.current = first;
    const places = Array.from({ length: end - first }, (_, number) => first + number);
    if (held >= 0 && held < first) places.unshift(held);
    else if (held >= end && held < this.geometry.boxes.length) places.push(held);
    const items = places.map((place) => this.draw(place));
    const kept = new Set(items);
    for (const item of [...this.list.children]) if (!kept.has(item)) item.remove();
    let next = this.list.firstElementChild;
    for (const item of items) {
      if (item === next) next = next.nextElementSibling;
      else this.list.insertBefore(item, next);
    }
    if (this.tiles.length < this.total && end + AHEAD > this.tiles.length && !this.isAsking) {
      this.isAsking = true;
      this.send("more", this.tiles.length);
    }
  }

  // The element of a place, made or as it was.
  draw(place) {
    const tile = this.tiles[place];
    const before = this.drawn.get(place) ?? (tile && this.spare.get(tile.id));
    if (before?.geometry === this.geometry && before.tile === tile && before.place === place) return before;
    let item = before;
    if (!item || item.look !== this.look || !item.tile !== !tile || JSON.stringify(item.tile) !== JSON.stringify(tile)) {
      item = document.createElement("li");
      item.look = this.look;
      const onPick = this.selects ? (isRange) => this.pick(item.place, isRange) : null;
      const [onOpen, onMark] = [(event) => this.open(item, event), (value) => this.send("mark", value)];
      const lines = this.isDense ? [] : this.lines;
      if (tile) item.append(...drawTile(tile, { lines, onOpen, onMark, onPick }, before?.querySelector(".frame img")));
      else item.append(element("span", "frame waiting"));
      item.setAttribute("aria-hidden", String(!tile));
    }
    item.tile = tile;
    this.drawn.set(place, item);
    this.put(item, place);
    return item;
  }

  put(item, place) {
    const box = this.geometry.boxes[place];
    const row = rowOf(this.geometry.rows, place);
    Object.assign(item, { place, geometry: this.geometry });
    item.style.transform = `translate(${box.left}px, ${row.top}px)`;
    item.style.width = `${box.width}px`;
    item.style.height = `${row.height + row.band}px`;
    item.style.setProperty("--frame-width", `${box.frame}px`);
    item.style.setProperty("--frame-height", `${row.height}px`);
    item.classList.toggle("narrow", box.frame < 100);
    item.setAttribute("aria-posinset", place + 1);
    item.setAttribute("aria-setsize", this.total);
    this.showStop(item);
    this.showChoice(item);
  }
}
