// Two pictures with heat over them; pointing at a region of one shows where it matches in the other. Colours and
// smoothing are those of heat.py.

const COLOURS = [[147, 38, 103], [221, 81, 58], [252, 165, 10], [246, 215, 70]];
const SIDE = 144;
const GREY = 0.85;
const DEFAULT_OPACITY = 0.75;
// Of a region that has little to do with the other picture, the best match is not drawn as hot as of one that has.
const FAINTEST = 0.25;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// Elsewhere the arrow keys go on to the next result: they are only spoken of where they choose a region.
const HINT = window.matchMedia("(hover: none)").matches
  ? "Tap a region of either picture to see where it matches in the other."
  : "Point at a region of either picture to see where it matches in the other.";
const KEYS_HINT = "Arrow keys choose a region of this picture.";
// Per cent of a picture's height or width over which heat fades at the edge of what the model sees.
const FADE = 8;

const within = (value, low, high) => Math.min(high, Math.max(low, value));

// Numbers of 0 to 1 come as the bytes of their square roots, which keeps small ones apart.
function decoded(text) {
  return Float32Array.from(atob(text), (letter) => (letter.charCodeAt(0) / 255) ** 2);
}

// Keys' cubic convolution: for each pixel of SIDE the four cells around it, and how much each counts.
function taps(count) {
  return Array.from({ length: SIDE }, (_, pixel) => {
    const at = ((pixel + 0.5) * count) / SIDE - 0.5;
    const first = Math.floor(at);
    return [-1, 0, 1, 2].map((step) => {
      const d = Math.abs(at - first - step);
      const weight = d < 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
      return [within(first + step, 0, count - 1), weight];
    });
  });
}

function colour(heat) {
  const at = heat * (COLOURS.length - 1);
  const low = Math.min(COLOURS.length - 2, Math.floor(at));
  return COLOURS[low].map((channel, number) => channel + (at - low) * (COLOURS[low + 1][number] - channel));
}

const TABLE = Array.from({ length: 256 }, (_, step) => [...colour(step / 255), 255 * Math.min(1, (1.3 * step) / 255)]);

function paint(canvas, cells, rows, columns) {
  const [down, across] = [taps(rows), taps(columns)];
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    const line = Array.from({ length: columns }, (_, x) =>
      down[y].reduce((sum, [row, weight]) => sum + weight * cells[row * columns + x], 0));
    for (let x = 0; x < SIDE; x += 1) {
      const heat = across[x].reduce((sum, [column, weight]) => sum + weight * line[column], 0);
      image.data.set(TABLE[Math.round(255 * within(heat, 0, 1))], 4 * (y * SIDE + x));
    }
  }
  context.putImageData(image, 0, 0);
}

// The model does not see all of a picture: where that ends within it, heat has no hard edge.
function soften(canvas, [left, top, right, bottom]) {
  const fading = (towards, begin, end) =>
    `linear-gradient(${towards}, transparent, #000 ${begin > 0 ? FADE : 0}%, #000 ${end < 1 ? 100 - FADE : 100}%, transparent)`;
  canvas.style.maskImage = `${fading("to right", left, right)}, ${fading("to bottom", top, bottom)}`;
  canvas.style.maskComposite = "intersect";
}

// The elements of one of the two pictures; the canvas lies over the part that cells cover.
function build(picture, name) {
  const [figure, frame] = [document.createElement("figure"), element("div", "frame")];
  const [image, canvas, outline] = [new Image(), document.createElement("canvas"), element("span", "cell")];
  const [left, top, right, bottom] = picture.box;
  figure.style.setProperty("--ratio", picture.size[0] / picture.size[1]);
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", `Regions of the ${name}: choose one with the arrow keys`);
  [image.alt, image.draggable, image.src] = [picture.alt, false, picture.src];
  [canvas.width, canvas.height] = [SIDE, SIDE];
  place(canvas, left, top, right - left, bottom - top);
  soften(canvas, picture.box);
  frame.append(image, canvas);
  if (picture.match) {
    const [left, top, right, bottom] = picture.match;
    const match = element("span", "match");
    place(match, left, top, right - left, bottom - top);
    frame.append(match);
  }
  frame.append(outline);
  figure.append(frame, element("figcaption", "", picture.caption));
  return { figure, frame, image, canvas, outline };
}

// In shares of the picture.
function place(one, left, top, width, height) {
  const edges = { left, top, width, height };
  for (const [edge, share] of Object.entries(edges)) one.style[edge] = `${100 * share}%`;
}

// Which cell is meant: by pointing with a mouse, tapping, or keys. `choose` is told, null for none; `chosen` gives it.
function listen(frame, { box: [left, top, right, bottom], rows, columns }, choose, chosen) {
  const cellAt = (event) => {
    const area = frame.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width - left) / (right - left);
    const y = ((event.clientY - area.top) / area.height - top) / (bottom - top);
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return null;
    return [Math.floor(x * columns), Math.floor(y * rows)];
  };
  frame.onpointermove = (event) => event.pointerType === "mouse" && choose(cellAt(event));
  frame.onpointerleave = (event) => event.pointerType === "mouse" && choose(null);
  frame.onclick = (event) => {
    if (event.pointerType === "mouse") return;
    const cell = cellAt(event);
    choose(String(cell) === String(chosen()) ? null : cell);
  };
  frame.onblur = () => choose(null);
  frame.onkeydown = (event) => {
    if (event.key === "Escape" && chosen()) {
      event.stopPropagation(); // the window around it stays open
      choose(null);
    }
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    const [x, y] = chosen() ?? [Math.floor(columns / 2), Math.floor(rows / 2)];
    const [dx, dy] = chosen() ? MOVES[event.key] : [0, 0];
    choose([within(x + dx, 0, columns - 1), within(y + dy, 0, rows - 1)]);
  };
}

// One of the two pictures; `act` is told the number of a cell that is pointed at, or null, and `hear` whether keys go to it.
function side(picture, name, act, hear) {
  const { figure, frame, image, canvas, outline } = build(picture, name);
  const { rows, columns, box: [left, top, right, bottom] } = picture;
  const heat = decoded(picture.heat);
  let at = null;

  const choose = (cell) => {
    if (String(cell) === String(at)) return;
    at = cell;
    outline.classList.toggle("shown", cell !== null);
    if (cell) {
      const [width, height] = [(right - left) / columns, (bottom - top) / rows];
      place(outline, left + cell[0] * width, top + cell[1] * height, width, height);
    }
    act(cell && cell[1] * columns + cell[0]);
  };
  listen(frame, picture, choose, () => at);
  frame.addEventListener("focus", () => hear(frame.matches(":focus-visible")));
  frame.addEventListener("blur", () => hear(false));
  return {
    figure,
    count: rows * columns,
    show: (cells) => paint(canvas, cells ?? heat, rows, columns),
    release: () => choose(null),
    fade: (opacity) => {
      canvas.style.opacity = opacity;
      image.style.filter = `grayscale(${GREY * Math.min(1, opacity / DEFAULT_OPACITY)})`;
    },
  };
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".why");
  const slider = root.querySelector("input");
  const hint = root.querySelector(".hint");
  const pairs = decoded(data.pairs);
  const sides = {};

  // How well each region of one picture matches a region of the other.
  const matches = (cell, name) => {
    const [count, other] = [sides[name].count, sides[name === "query" ? "result" : "query"].count];
    const found = Float32Array.from({ length: other }, (_, place) =>
      name === "query" ? pairs[cell * other + place] : pairs[place * count + cell]);
    const most = Math.max(FAINTEST, ...found);
    return found.map((value) => value / most);
  };
  const pointAt = (name, other) => (cell) => {
    if (cell !== null) sides[other].release();
    sides[name].show();
    sides[other].show(cell === null ? null : matches(cell, name));
    hint.textContent = cell === null ? HINT : `Where this region of the ${name} matches in the ${other}.`;
  };

  const hear = (isHeard) => {
    hint.textContent = isHeard ? KEYS_HINT : HINT;
  };
  sides.query = side(data.query, "query", pointAt("query", "result"), hear);
  sides.result = side(data.result, "result", pointAt("result", "query"), hear);
  root.querySelector(".pair").replaceChildren(sides.query.figure, sides.result.figure);
  hint.textContent = HINT;
  root.querySelector(".scale i").style.background =
    `linear-gradient(90deg, ${[0, 85, 170, 255].map((step) => `rgba(${TABLE[step].slice(0, 3)}, ${TABLE[step][3] / 255})`)})`;

  const fade = () => {
    slider.style.setProperty("--at", `${slider.value}%`);
    Object.values(sides).forEach((one) => one.fade(slider.value / 100));
  };
  slider.oninput = fade;
  for (const one of Object.values(sides)) one.show();
  fade();
}
