// What is done in a grid of pictures: opened, selected, moved through with the keyboard, and scrolled to.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const ROWS = { ArrowUp: -1, ArrowDown: 1 };
// Milliseconds: several clicks are one message, and what is above a new grid takes a moment to be drawn.
const [TOGETHER, SETTLING] = [200, 1500];

Object.assign(Grid.prototype, {
  open(item, event) {
    const isPick = event.shiftKey || event.ctrlKey || event.metaKey || (isTouch() && this.isChoosing());
    if (this.selects && isPick) {
      this.pick(item.place, event.shiftKey);
      return;
    }
    this.send("open", item.tile.id);
  },

  isChoosing() {
    return this.selected.size > 0 || this.list.classList.contains("choosing");
  },

  // Select a picture, or no longer; or all from the last one to it.
  pick(place, isRange) {
    const isOn = !this.selected.has(this.tiles[place].id);
    const [from, to] = [place, isRange ? this.anchor ?? place : place].sort((a, b) => a - b);
    for (const tile of this.tiles.slice(from, to + 1)) this.selected[isOn ? "add" : "delete"](tile.id);
    this.anchor = place;
    this.passSelection();
  },

  deselect() {
    this.selected.clear();
    this.anchor = undefined;
    this.passSelection();
  },

  passSelection() {
    this.showSelection();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.unanswered.push(keyOf(this.selected));
      this.send("select", [...this.selected]);
    }, TOGETHER);
  },

  // What the page says is selected holds, unless it is an answer to something older than what was clicked since.
  adopt(selected) {
    const key = keyOf(selected);
    const place = this.unanswered.indexOf(key);
    if (place >= 0) {
      this.unanswered.splice(0, place + 1);
      this.answered = key;
    } else if (key !== this.answered) {
      clearTimeout(this.timer);
      Object.assign(this, { timer: 0, selected: new Set(selected), unanswered: [], answered: key });
    }
  },

  showSelection() {
    this.list.classList.toggle("selecting", this.isChoosing());
    for (const item of this.drawn.values()) this.showChoice(item);
  },

  showChoice(item) {
    const isOn = Boolean(item.tile) && this.selected.has(item.tile.id);
    item.classList.toggle("selected", isOn);
    const box = item.querySelector(".pick");
    if (box) box.checked = isOn;
  },

  focusedPlace() {
    const focused = this.list.getRootNode().activeElement;
    return this.list.contains(focused) ? focused.closest("li")?.place ?? -1 : -1;
  },

  // One picture can be reached with Tab, and its buttons from there; the arrows lead to the others.
  settleOn(place) {
    if (place === undefined || place === this.current) return;
    const before = this.drawn.get(this.current);
    this.current = place;
    for (const item of [before, this.drawn.get(place)]) if (item) this.showStop(item);
  },

  showStop(item) {
    for (const one of item.querySelectorAll("button, input")) one.tabIndex = item.place === this.current ? 0 : -1;
  },

  move(event) {
    const place = event.target.closest("li")?.place;
    if (place === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { Home: 0, End: this.geometry.boxes.length - 1 }[event.key]
      ?? (event.key in STEPS ? place + STEPS[event.key] : undefined)
      ?? (event.key in ROWS ? neighbour(this.geometry, place, ROWS[event.key]) : undefined);
    if (event.key === "x" && this.selects) this.pick(place, false);
    else if (to === undefined) return;
    else this.focus(within(to, 0, this.geometry.boxes.length - 1), false);
    event.preventDefault();
  },

  // Focus a picture, scrolled to unless it stays where it is; one that is not there yet, when it comes.
  focus(place, staysThere) {
    if (!staysThere) this.reveal(place);
    this.render();
    const button = this.drawn.get(place)?.querySelector(".tile");
    this.awaited = button ? undefined : place;
    button?.focus({ preventScroll: true });
  },

  // Whoever marks with the keyboard goes on from there, or from what has taken the picture's place.
  holdFocus({ of, place }) {
    if (this.awaited >= this.tiles.length && this.tiles.length < this.total) return;
    const at = Math.min(this.awaited ?? place, this.tiles.length - 1);
    const same = this.awaited === undefined && this.list.querySelector(`[data-of="${CSS.escape(of)}"]`);
    this.awaited = undefined;
    (same || this.drawn.get(at)?.querySelector("button"))?.focus({ preventScroll: true });
  },

  reveal(place) {
    const row = rowOf(this.geometry.rows, place);
    const top = this.list.getBoundingClientRect().top + row.top;
    const below = top + row.height + row.band + 16 - window.innerHeight;
    if (top < HEADER) this.scroller().scrollTop += top - HEADER;
    else if (below > 0) this.scroller().scrollTop += Math.min(below, top - HEADER);
  },

  // The results of another query are read from their beginning, or from where the address says. Whoever comes back to
  // them is where they were, see scroll.js.
  begin(listing) {
    document.dispatchEvent(new CustomEvent("similarity-begun"));
    const isNarrow = window.innerWidth <= NARROW;
    if (listing.at) this.comeTo(listing.at);
    else if (isNarrow || this.list.getBoundingClientRect().top < HEADER) this.comeTo(0);
  },

  // Scroll to a picture, and again while what is above is drawn, until somebody scrolls.
  comeTo(place) {
    const end = performance.now() + SETTLING;
    const stop = new AbortController();
    for (const kind of ["wheel", "touchstart", "pointerdown", "keydown"]) {
      window.addEventListener(kind, () => stop.abort(), { signal: stop.signal, passive: true });
    }
    const step = () => {
      const isReturning = document.documentElement.hasAttribute("data-returning");
      if (stop.signal.aborted || isReturning || !this.list.isConnected) return;
      if (performance.now() > end) stop.abort();
      const scroller = this.scroller();
      const at = this.list.getBoundingClientRect().top + this.topOf(place) + scroller.scrollTop;
      // From the top of the page, where that shows the first results as well.
      const wanted = !place && at <= 0.6 * window.innerHeight ? 0 : at - this.above();
      if (Math.abs(wanted - scroller.scrollTop) > 1) scroller.scrollTop = wanted;
      requestAnimationFrame(step);
    };
    step();
  },

  // Where the window begins to show what scrolls: below the header and, on a telephone, the query that sticks to it.
  above() {
    const strip = window.innerWidth <= NARROW && document.querySelector(".st-key-query-strip");
    return Math.max(HEADER, strip ? HEADER + strip.offsetHeight : 0);
  },
});

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".tiles");
  if (!grids.has(list)) grids.set(list, new Grid(list));
  grids.get(list).update(data, setTriggerValue);
}
