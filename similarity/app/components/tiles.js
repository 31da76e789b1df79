// Pictures in a grid, each a button. All that comes from a gallery is set as text, never as markup.

const MARKS = { right: "✓", wrong: "✗", shared: "=" };
const THUMBS = [
  { name: "more", label: "More like this", wanted: true },
  { name: "less", label: "Not like this", wanted: false },
];
const NARROW = 640;
const THUMB = "M2.5 10.5h4v10h-4zM8.5 20.5v-10l4.2-7.6c1.5.1 2.4 1.3 2.1 2.8L14 9.3h5.4c1.3 0 2.2 1.2 1.9 2.4l-1.6 7c-.3 1.1-1.2 1.8-2.3 1.8z";

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function frame(tile) {
  const made = element("span", "frame");
  const image = new Image();
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = tile.alt;
  image.src = tile.src;
  made.append(image);
  if (tile.rank) made.append(element("span", "rank", tile.rank));
  if (MARKS[tile.mark]) made.append(element("span", `mark ${tile.mark}`, MARKS[tile.mark]));
  return made;
}

function score(tile) {
  const made = element("span", "score");
  const bar = element("span", "bar");
  const filled = document.createElement("i");
  filled.style.width = `${Math.max(0, Math.min(1, tile.score)) * 100}%`;
  bar.append(filled);
  made.append(bar, element("span", "number", tile.score.toFixed(3)));
  return made;
}

function thumb({ name, label, wanted }, tile, setTriggerValue) {
  const made = element("button", name);
  made.type = "button";
  made.title = label;
  made.dataset.of = `${name} ${tile.id}`;
  made.setAttribute("aria-label", label);
  made.setAttribute("aria-pressed", String(tile.wanted === wanted));
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", THUMB);
  drawing.append(path);
  made.append(drawing);
  made.onclick = () => setTriggerValue("mark", { id: tile.id, wanted: tile.wanted === wanted ? null : wanted });
  return made;
}

function thumbs(tile, setTriggerValue) {
  const made = element("span", "thumbs");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", tile.alt);
  made.append(...THUMBS.map((kind) => thumb(kind, tile, setTriggerValue)));
  return made;
}

// Whoever marks with the keyboard goes on from there, or from what has taken the picture's place.
function keepFocus(list, draw) {
  const before = list.getRootNode().activeElement;
  const of = before?.dataset.of;
  const place = of ? [...list.children].indexOf(before.closest("li")) : -1;
  draw();
  if (place < 0) return;
  const next = list.children[Math.min(place, list.children.length - 1)]?.querySelector("button");
  (list.querySelector(`[data-of="${CSS.escape(of)}"]`) ?? next)?.focus({ preventScroll: true });
}

// Whoever opened a dialog with a picture is at that picture again when it closes.
function returnFocus(list, id) {
  let wasOpen = false;
  const watch = new MutationObserver(() => {
    const isOpen = document.querySelector('[role="dialog"]') !== null;
    if (isOpen || !wasOpen) {
      wasOpen = isOpen;
      return;
    }
    watch.disconnect();
    setTimeout(() => {
      const isNowhere = !document.activeElement || document.activeElement === document.body;
      if (isNowhere) list.querySelector(`[data-opens="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
    }, 100);
  });
  watch.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => wasOpen || watch.disconnect(), 30_000);
}

function draw(tile, setTriggerValue, list) {
  const item = document.createElement("li");
  const button = element("button", `tile ${tile.mark}`);
  button.type = "button";
  button.classList.toggle("unsure", Boolean(tile.unsure));
  button.title = tile.hint;
  button.append(frame(tile));
  if (tile.score !== null) button.append(score(tile));
  for (const name of ["copy", "chance", "label", "name", "note"]) {
    if (tile[name]) button.append(element("span", name, tile[name]));
  }
  button.dataset.opens = tile.id;
  button.onclick = () => {
    returnFocus(list, tile.id);
    setTriggerValue("open", tile.id);
  };
  item.append(button);
  if ("wanted" in tile) item.append(thumbs(tile, setTriggerValue));
  return item;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".tiles");
  list.classList.toggle("small", Boolean(data.small));
  const first = data.page || data.tiles[0]?.rank;
  const hasTurned = first && list.dataset.first && list.dataset.first !== first;
  list.dataset.first = first ?? "";
  keepFocus(list, () => list.replaceChildren(...data.tiles.map((tile) => draw(tile, setTriggerValue, list))));
  // Another page is read from its beginning.
  if (hasTurned && list.getBoundingClientRect().top < 0) list.scrollIntoView();
  // On a telephone the answer to another query is below it, or above where one has scrolled to.
  if (data.query && list.dataset.query !== data.query && window.innerWidth <= NARROW) list.scrollIntoView();
  list.dataset.query = data.query ?? "";
}
