// Another picture in place of the query. The fields of the page's target choose and send it, see drop_target.js.

const TARGET = '.st-key-drop-target [data-testid="stBidiComponentIsolated"]';
const MORE = ".st-key-query-more"; // what adds to the query instead, at the end of the panel
const PAGES = ".st-key-bottom-bar"; // a telephone's bar of pages lies over the panel
const BESIDE = 8; // pixels
const UNFOLDING_MS = 1500; // in which it grows to its height

const FIELDS = { ".choose": ".chooser", ".photograph": ".camera" };

let watching;

// Scrolls the panel alone: the browser's own way would move the page behind it, too.
function bringIntoSight(part) {
  let panel = part.parentElement;
  while (panel && getComputedStyle(panel).overflowY !== "auto") panel = panel.parentElement;
  if (!panel) return;
  const [place, around] = [part.getBoundingClientRect(), panel.getBoundingClientRect()];
  const pages = document.querySelector(PAGES)?.offsetHeight ?? 0;
  const end = Math.min(around.bottom, window.innerHeight - pages) - BESIDE;
  panel.scrollTop += Math.max(0, Math.min(place.bottom - end, place.top - around.top));
}

export default function ({ parentElement }) {
  for (const [button, field] of Object.entries(FIELDS)) {
    const choose = () => document.querySelector(TARGET)?.shadowRoot?.querySelector(field)?.click();
    parentElement.querySelector(button).onclick = choose;
  }
  watching?.abort();
  const mine = new AbortController();
  watching = mine;
  const noteUnfolding = ({ target }) => {
    if (!target.open || !target.closest?.(MORE)) return;
    const growing = new ResizeObserver(() => bringIntoSight(target));
    growing.observe(target);
    setTimeout(() => growing.disconnect(), UNFOLDING_MS);
  };
  document.addEventListener("toggle", noteUnfolding, { capture: true, signal: mine.signal });
  return () => mine.abort();
}
