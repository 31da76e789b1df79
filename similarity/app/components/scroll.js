// Keeps the place that each page is scrolled to. Whoever comes back to it with the browser's own buttons, or loads it
// again, is there again. Browsers do this for a document as a whole, and what scrolls here is an element in it.

const [APP, SCROLLER, HEADING] = ['[data-testid="stApp"]', '[data-testid="stMain"]', "h1"];
// A map of addresses to pixels, of so many at most.
const [STORED, MOST] = ["similarity-scrolled", 50];
// Pages whose address is a search, and what counts in those of the others.
const [SEARCHES, OWN] = [["", "faceoff", "everywhere"], ["gallery", "view", "kind", "new"]];
// While this is set, a grid leaves the scrolling to us, and it says when it is drawn; see tiles_moves.js.
const [RETURNING, BEGUN] = ["data-returning", "similarity-begun"];
// Milliseconds: from a scroll until its place counts, since a page that goes is scrolled up before the address changes;
// for the page that one comes back to, to be drawn; and until nothing moves after that, or nothing else has come.
const [COUNTS, PATIENCE, SETTLING, LATEST] = [150, 30_000, 400, 1500];
const STOPS = ["wheel", "touchstart", "pointerdown", "keydown"];

// A picture that is open lies over the same page. A page that leads to a search has that in its own address for a moment.
function addressNow() {
  const { pathname, searchParams } = new URL(location.href);
  const isSearch = SEARCHES.includes(pathname.split("/").at(-1));
  const counts = (name) => (isSearch ? name !== "open" : OWN.includes(name));
  const named = [...searchParams].filter(([name]) => counts(name));
  return `${pathname}?${new URLSearchParams(named)}`;
}

function places() {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(STORED)));
  } catch {
    return new Map(); // there are none yet, or this browser stores nothing
  }
}

function store(address, top) {
  const kept = places();
  kept.delete(address); // so that it is the latest
  kept.set(address, top);
  try {
    sessionStorage.setItem(STORED, JSON.stringify([...kept].slice(-MOST)));
  } catch { /* a browser that stores nothing begins at the top */ }
}

const isReturning = () => document.documentElement.hasAttribute(RETURNING);

// Scroll to a place as soon as it is there, and hold it until the page is drawn or somebody does something.
function comeTo(top, isLoaded) {
  const end = new AbortController();
  const before = isLoaded ? null : document.querySelector(HEADING); // a page that is loaded may be there before us
  const [title, deadline] = [before?.textContent, performance.now() + PATIENCE];
  let [isBegun, hasRun, drawnAt] = [false, isLoaded, 0];
  document.documentElement.setAttribute(RETURNING, "");
  end.signal.addEventListener("abort", () => document.documentElement.removeAttribute(RETURNING));
  for (const kind of STOPS) window.addEventListener(kind, () => end.abort(), { signal: end.signal, passive: true });
  document.addEventListener(BEGUN, () => (isBegun = true), { signal: end.signal });
  const step = () => {
    if (end.signal.aborted) return;
    const [scroller, heading] = [document.querySelector(SCROLLER), document.querySelector(HEADING)];
    const isRunning = document.querySelector(APP)?.dataset.testScriptState === "running";
    hasRun ||= isRunning;
    const now = performance.now();
    drawnAt = isRunning || !hasRun ? 0 : drawnAt || now;
    // What was there before is not scrolled, and may be drawn to its end first.
    const isOther = isBegun || (heading && (heading !== before || heading.textContent !== title));
    const isDrawn = drawnAt && now > drawnAt + (isOther ? SETTLING : LATEST);
    const isTall = scroller && scroller.scrollHeight - scroller.clientHeight >= top;
    if ((isOther && isTall) || isDrawn) scroller.scrollTop = top;
    if (now > deadline || isDrawn) end.abort();
    else requestAnimationFrame(step);
  };
  step();
  return end;
}

function keep() {
  let [address, timer, coming] = [addressNow(), 0, null];
  const come = (isLoaded) => {
    coming?.abort();
    const top = places().get(address);
    if (top) coming = comeTo(top, isLoaded);
  };
  const save = () => {
    clearTimeout(timer);
    address = addressNow();
    const scroller = document.querySelector(SCROLLER);
    if (scroller && !isReturning()) store(address, Math.round(scroller.scrollTop));
  };
  document.addEventListener("scroll", (event) => {
    if (!event.target.matches?.(SCROLLER)) return;
    clearTimeout(timer);
    timer = setTimeout(save, COUNTS);
  }, { capture: true, passive: true });
  document.addEventListener("click", save, { capture: true });
  window.addEventListener("pagehide", save);
  window.addEventListener("popstate", () => {
    clearTimeout(timer);
    if (addressNow() === address) return; // a picture was closed
    address = addressNow();
    come(false);
  });
  // A page that is gone on to, even if one leaves it again before anything of it is drawn.
  window.navigation?.addEventListener("currententrychange", ({ navigationType }) => {
    if (navigationType !== "traverse") address = addressNow();
  });
  // The same in browsers without it, once something is drawn.
  const watch = new MutationObserver(() => (address = addressNow()));
  watch.observe(document.querySelector(APP), { attributes: true, attributeFilter: ["data-test-script-state"] });
  const isAgain = performance.getEntriesByType("navigation").some(({ type }) => type !== "navigate");
  if (isAgain) come(true);
}

// Once in a document: pages come and go, and with each of them this element.
export default function () {
  if (window.similarityScroll) return;
  window.similarityScroll = true;
  goInOneStep();
  keep();
}
