// The pictures of the lightbox and the way from one to the next. All that comes from a gallery is set as text.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const CHEVRONS = { previous: "M15 5 8 12l7 7", next: "m9 5 7 7-7 7" };
// What uses arrow keys or sideways strokes itself.
const BUSY = 'input, textarea, select, [contenteditable="true"], [role="slider"], [role="tablist"], [data-testid="stButtonGroup"], [data-testid="stTable"], pre, .tiles';
// A swipe is so many pixels long at least, twice as wide as high, and so many milliseconds short at most.
const SWIPE = { length: 45, time: 700 };
// Per cent of the picture that a key moves the divider by.
const NUDGE = 2;

const within = (value, low, high) => Math.min(high, Math.max(low, value));

function image(picture) {
  const made = new Image();
  [made.alt, made.draggable, made.src] = [picture.alt, false, picture.src];
  return made;
}

function framed(...content) {
  const frame = element("div", "frame");
  frame.append(...content);
  return frame;
}

function figure(frame, ratio, caption) {
  const made = document.createElement("figure");
  made.style.setProperty("--ratio", ratio);
  made.append(frame, element("figcaption", "", caption));
  return made;
}

// The line between two pictures that lie on each other: dragged, or moved with keys. It stays where it was put.
function divider(frame, state) {
  const handle = element("div", "divider");
  const move = (share) => {
    state.share = within(share, 0, 100);
    frame.style.setProperty("--at", `${state.share}%`);
    handle.setAttribute("aria-valuenow", String(Math.round(state.share)));
  };
  handle.tabIndex = 0;
  const facts = { role: "slider", "aria-label": "Divider between query and result", "aria-valuemin": "0", "aria-valuemax": "100" };
  for (const [name, value] of Object.entries(facts)) handle.setAttribute(name, value);
  handle.onpointerdown = (event) => handle.setPointerCapture(event.pointerId);
  handle.onpointermove = (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const area = frame.getBoundingClientRect();
    move((100 * (event.clientX - area.left)) / area.width);
  };
  handle.onkeydown = (event) => {
    const to = { ArrowLeft: state.share - NUDGE, ArrowRight: state.share + NUDGE, Home: 0, End: 100 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  move(state.share);
  return handle;
}

// Of two pictures on each other: the frame is as wide as the wider one needs, and both are whole in it.
const widest = (query, result) => Math.max(query.ratio, result.ratio);

function slider([query, result], state) {
  const over = element("div", "over");
  over.append(image(query));
  const frame = framed(image(result), over);
  frame.append(element("span", "name query", "Query"), element("span", "name result", "Result"), divider(frame, state));
  return [figure(frame, widest(query, result), `${query.caption} · ${result.caption}`)];
}

function draw(state) {
  const { pictures, view } = state.data;
  const isFocused = state.root.getRootNode().activeElement?.className === "divider";
  const isSlider = view === "slider" && pictures.length === 2;
  state.pictures.className = `pictures ${isSlider ? "slider" : pictures.length === 1 ? "alone" : ""}`;
  state.pictures.replaceChildren(
    ...(isSlider ? slider(pictures, state) : pictures.map((one) => figure(framed(image(one)), one.ratio, one.caption))),
  );
  if (isFocused) state.pictures.querySelector(".divider")?.focus({ preventScroll: true });
}

// For when it closes, see lightbox_closing.js: which picture is shown, and whether a step is under way.
function noteFor({ window: dialog, data, at, sent }) {
  if (!dialog) return;
  if (data.steps[at]) dialog.dataset.picture = data.steps[at].id;
  dialog.toggleAttribute("data-answering", Boolean(sent));
}

// Where one is, and whether there is a next and a previous one.
function drawStrip(state) {
  const { steps } = state.data;
  state.root.querySelector(".position").textContent = steps[state.at]?.position ?? "";
  noteFor(state);
  state.root.querySelector(".strip").classList.toggle("alone", state.at < 0);
  state.previous.setAttribute("aria-disabled", String(!steps[state.at - 1]));
  state.next.setAttribute("aria-disabled", String(state.at < 0 || !steps[state.at + 1]));
  for (const near of [steps[state.at - 1], steps[state.at + 1]]) if (near) new Image().src = near.src;
}

// The thumbnail is known already: it is shown until the picture itself is here.
function anticipate(state, step) {
  const last = [...state.pictures.querySelectorAll("figure")].at(-1);
  const isSlider = last?.querySelector(".divider");
  const shown = last && [...last.querySelectorAll("img")].at(isSlider ? 0 : -1);
  if (!shown) return;
  [shown.alt, shown.src] = ["", step.src];
  last.style.setProperty("--ratio", isSlider ? widest(state.data.pictures[0], step) : step.ratio);
  if (!isSlider) last.querySelector("figcaption").textContent = "…";
}

// The address becomes what the server is going to make it: so it makes no entry in the history for each picture. One
// step is under way at a time; whoever is quicker goes on from the last one.
function send(state) {
  const step = state.data.steps[state.at];
  state.sent = step.id;
  history.replaceState(history.state, "", `?${step.query}`);
  state.trigger("step", step.id);
}

function go(state, by) {
  const step = state.at < 0 ? undefined : state.data.steps[state.at + by];
  if (!step) return;
  state.at += by;
  if (state.pictures.getBoundingClientRect().top < 0) state.window?.scrollTo(0, 0); // the next one is in sight, too
  anticipate(state, step);
  if (!state.sent) send(state);
  drawStrip(state);
}

// What the server has answered: shown, unless one has gone on since.
function receive(state, data) {
  const wanted = state.sent && state.data.steps[state.at].id;
  const isAnswer = state.sent !== null && data.steps[data.at]?.id === state.sent;
  const place = data.steps.findIndex((step) => step.id === wanted);
  state.data = data;
  state.at = data.at;
  if (isAnswer && wanted !== state.sent && place >= 0) {
    state.at = place;
    send(state);
  } else {
    state.sent = null;
    draw(state);
  }
  drawStrip(state);
}

function listenToKeys(state, signal) {
  const isBusy = (one) => one.matches?.(BUSY) && one !== state.root;
  document.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || event.defaultPrevented) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.composedPath().some(isBusy)) return;
    event.preventDefault();
    go(state, STEPS[event.key]);
  }, { signal });
}

// Arrow keys move between the views for whoever is there with the keyboard; whoever clicked goes on to the next result.
function releaseAfterClick(area, signal) {
  area.addEventListener("click", (event) => {
    const isPointed = event.detail > 0 && event.target.closest?.('[data-testid="stButtonGroup"]');
    if (isPointed) setTimeout(() => area.focus({ preventScroll: true }), 0);
  }, { signal });
}

function listenToSwipes(state, area, signal) {
  let from = null;
  const isBusy = (one) => one.matches?.(BUSY);
  const distance = (touch) => [touch.clientX - from.clientX, touch.clientY - from.clientY];
  const release = () => {
    state.pictures.classList.remove("moving");
    state.pictures.style.transform = "";
  };
  area.addEventListener("touchstart", (event) => {
    from = event.touches.length === 1 && !event.composedPath().some(isBusy)
      ? { clientX: event.touches[0].clientX, clientY: event.touches[0].clientY, time: event.timeStamp } : null;
  }, { passive: true, signal });
  area.addEventListener("touchmove", (event) => {
    if (!from || event.touches.length !== 1) return;
    const [across, down] = distance(event.touches[0]);
    if (Math.abs(across) < 2 * Math.abs(down)) return;
    state.pictures.classList.add("moving");
    state.pictures.style.transform = `translateX(${across / 2}px)`;
  }, { passive: true, signal });
  area.addEventListener("touchcancel", release, { signal });
  area.addEventListener("touchend", (event) => {
    release();
    if (!from || event.touches.length) return;
    const [across, down] = distance(event.changedTouches[0]);
    const isSwipe = Math.abs(across) >= SWIPE.length && Math.abs(across) > 2 * Math.abs(down);
    if (isSwipe && event.timeStamp - from.time < SWIPE.time) go(state, across < 0 ? 1 : -1);
    from = null;
  }, { signal });
}

function begin(root) {
  const state = { root, share: 50, sent: null, stop: new AbortController() };
  for (const name of ["pictures", "previous", "next"]) state[name] = root.querySelector(`.${name}`);
  for (const [name, path] of Object.entries(CHEVRONS)) state[name].replaceChildren(symbol(path));
  state.previous.onclick = () => go(state, -1);
  state.next.onclick = () => go(state, 1);
  const host = root.getRootNode().host ?? root;
  state.window = host.closest('[data-testid="stDialog"]');
  // Streamlit tells the page that it is dark, and not a dialog.
  const page = document.querySelector('[data-testid="stApp"]');
  if (page) state.window?.style.setProperty("color-scheme", getComputedStyle(page).colorScheme);
  listenToKeys(state, state.stop.signal);
  const dialog = host.closest('[role="dialog"]') ?? host;
  listenToSwipes(state, dialog, state.stop.signal);
  releaseAfterClick(dialog, state.stop.signal);
  return state;
}

const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".lightbox");
  if (!states.has(root)) states.set(root, begin(root));
  const state = states.get(root);
  state.trigger = setTriggerValue;
  receive(state, data);
  return () => state.stop.abort();
}
