// One picture of a grid with its texts and buttons. All that comes from a gallery is set as text, never as markup.

// On the picture; and below it, since these are on small pictures, which a badge would cover.
const [MARKS, VERDICTS] = [{ shared: "=" }, { right: "✓", wrong: "✗" }];
const THUMBS = [
  { name: "more", label: "More like this", wanted: true },
  { name: "less", label: "Not like this", wanted: false },
];
const THUMB = "M2.5 10.5h4v10h-4zM8.5 20.5v-10l4.2-7.6c1.5.1 2.4 1.3 2.1 2.8L14 9.3h5.4c1.3 0 2.2 1.2 1.9 2.4l-1.6 7c-.3 1.1-1.2 1.8-2.3 1.8z";

const scoreOf = (tile) => (tile.score === null ? "" : tile.score.toFixed(3));

// All that is written on and below a picture, once, for whoever cannot see it.
function spoken(tile) {
  const known = tile.copy || (tile.wanted ? "marked by you" : tile.chance);
  const told = [tile.score === null ? "" : `score ${scoreOf(tile)}`, known, tile.note];
  return [tile.alt, ...told].filter((text) => text?.trim()).join(", ");
}

// A result that was marked comes first, and is not what was searched with.
function yours() {
  const made = element("span", "copy yours", "Your ");
  made.append(symbol(THUMB));
  return made;
}

function frame(tile, before) {
  const made = element("span", "frame");
  const image = before ?? new Image();
  image.decoding = "async";
  image.draggable = false;
  image.alt = spoken(tile);
  if (image.getAttribute("src") !== tile.src) image.src = tile.src;
  made.append(image);
  if (tile.rank) made.append(element("span", "rank", tile.rank));
  if (tile.copy) made.append(element("span", "copy", tile.copy));
  else if (tile.wanted) made.append(yours());
  if (MARKS[tile.mark]) made.append(element("span", `mark ${tile.mark}`, MARKS[tile.mark]));
  return made;
}

// What is told of a picture that is pointed at: its name, and in a dense grid what has no room below it.
function over(tile) {
  const made = element("span", "over");
  made.setAttribute("aria-hidden", "true");
  const place = [tile.rank, scoreOf(tile)].filter(Boolean).join(" · ");
  if (place) made.append(element("span", "place", place));
  if (tile.name) made.append(element("span", "name", tile.name));
  return made;
}

// Where there is no room for words, the per cent stand alone; see tiles.css.
function chance(text) {
  const end = text.indexOf("%") + 1;
  if (!end) return element("span", "chance", text);
  const made = element("span", "chance", text.slice(0, end));
  const [kind, ...more] = text.slice(end).split(/(?=,)/);
  made.append(element("span", "kind", kind), element("span", "sure", more.join("")));
  return made;
}

// The lines below a picture; each kind has one in all tiles, or in none.
function captions(tile, lines) {
  const made = element("span", "captions");
  made.setAttribute("aria-hidden", "true");
  for (const kinds of lines) {
    const line = element("span", "line");
    for (const kind of kinds) {
      const text = kind === "score" ? scoreOf(tile) : tile[kind];
      if (text) line.append(kind === "chance" ? chance(text) : element("span", kind, text));
    }
    made.append(line);
  }
  if (VERDICTS[tile.mark]) made.firstElementChild.prepend(element("span", `verdict ${tile.mark}`, VERDICTS[tile.mark]));
  return made;
}

function thumb({ name, label, wanted }, tile, onMark) {
  const made = element("button", name);
  made.type = "button";
  made.title = label;
  made.dataset.of = `${name} ${tile.id}`;
  made.setAttribute("aria-label", label);
  made.setAttribute("aria-pressed", String(tile.wanted === wanted));
  made.append(symbol(THUMB));
  made.onclick = () => onMark({ id: tile.id, wanted: tile.wanted === wanted ? null : wanted });
  return made;
}

function thumbs(tile, onMark) {
  const made = element("span", "thumbs");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", tile.alt);
  made.append(...THUMBS.map((kind) => thumb(kind, tile, onMark)));
  return made;
}

function pick(tile, onPick) {
  const made = element("input", "pick");
  made.type = "checkbox";
  made.dataset.of = `pick ${tile.id}`;
  made.setAttribute("aria-label", `Select ${tile.alt}`);
  made.onclick = (event) => onPick(event.shiftKey);
  return made;
}

// A picture as a button, with its thumbs and its checkbox; `before` is its image where there was one.
function drawTile(tile, { lines, onOpen, onMark, onPick }, before) {
  const button = element("button", `tile ${tile.mark}`);
  button.type = "button";
  button.classList.toggle("unsure", Boolean(tile.unsure));
  button.title = tile.hint;
  button.dataset.opens = tile.id;
  button.dataset.of = `tile ${tile.id}`;
  button.onclick = onOpen;
  const drawn = frame(tile, before);
  drawn.append(over(tile));
  button.append(drawn);
  if (lines.length) button.append(captions(tile, lines));
  const made = [button];
  if ("wanted" in tile) made.push(thumbs(tile, onMark));
  if (onPick) made.push(pick(tile, onPick));
  return made;
}
