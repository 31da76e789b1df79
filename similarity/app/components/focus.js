// Gives the focus a place when the element that had it is gone, so that whoever uses the keyboard goes on from what has
// come instead of from the top of the page.

// Later than elements that give back the focus to a place of their own.
const SETTLED_MS = 250;
// The first of these that is there: results, or the page itself.
const PLACES = [".st-key-results", '[data-testid="stMain"]'];
// Here stands what became of what was done in it, or in a dialog that it has opened.
const BAR = '[class*="st-key-selection-bar"]';
const REACHABLE = 'button:not([disabled]), a[href], [tabindex="0"]';

// In a dialog, the field that one begins with; see focus.py.
const BEGIN = '.st-key-begin-here input';
const BEGINNING_MS = [0, 100, 250, 500];
const begun = new WeakSet();

function focused() {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}

function isNowhere(element) {
  return !element || element === document.body || element === document.documentElement;
}

// The first element that a key reaches, inside elements of our own too.
function firstReachable(place) {
  const inside = [...place.querySelectorAll("*")].find((element) => element.shadowRoot?.querySelector(REACHABLE));
  return inside?.shadowRoot.querySelector(REACHABLE) ?? place.querySelector(REACHABLE);
}

function isOfBar(element) {
  let node = element;
  while (node && !node.closest?.(`[role="dialog"], ${BAR}`)) node = node.getRootNode().host;
  return Boolean(node);
}

function restore(wasOfBar) {
  const outcome = wasOfBar && document.querySelector(BAR)?.querySelector(REACHABLE);
  if (outcome) {
    outcome.focus({ preventScroll: true });
    return;
  }
  const results = document.querySelector(PLACES[0]);
  const first = results && firstReachable(results);
  const target = first ?? document.querySelector(PLACES[1]);
  if (!target) return;
  if (!first) target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

// A dialog that is about one field has the focus in it, as soon as the dialog itself has taken it.
function beginIn(field) {
  begun.add(field);
  const dialog = field.closest('[role="dialog"]');
  const take = () => {
    if ([document.body, dialog].includes(document.activeElement)) field.focus({ preventScroll: true });
  };
  for (const time of BEGINNING_MS) setTimeout(take, time);
}

function watch() {
  let last = null;
  let wasOfBar = false;
  let timer = 0;
  const look = () => {
    if (document.querySelector('[data-test-script-state="running"]')) return;
    if (last && !last.isConnected && isNowhere(focused())) {
      last = null;
      restore(wasOfBar);
    }
  };
  const note = () => {
    last = focused();
    wasOfBar = isOfBar(last);
  };
  const observer = new MutationObserver(() => {
    const field = document.querySelector(BEGIN);
    if (field && !begun.has(field)) beginIn(field);
    clearTimeout(timer);
    timer = setTimeout(look, SETTLED_MS);
  });
  const app = document.querySelector('[data-testid="stApp"]');
  observer.observe(document.body, { childList: true, subtree: true });
  if (app) observer.observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
  document.addEventListener("focusin", note);
  return () => {
    observer.disconnect();
    clearTimeout(timer);
    document.removeEventListener("focusin", note);
  };
}

const watched = new WeakMap();

export default function ({ parentElement }) {
  if (!watched.has(parentElement)) watched.set(parentElement, watch());
  return () => {
    watched.get(parentElement)?.();
    watched.delete(parentElement);
  };
}
