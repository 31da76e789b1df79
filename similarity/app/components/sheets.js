// Streamlit's popovers are sheets on a telephone, see style.py, and so is the panel of the query. Each has its name and a
// way out at the top, and a step back closes it instead of leaving the page.

const TELEPHONE = window.matchMedia("(max-width: 640px)");
const OPENED = '[data-testid="stPopoverButton"][aria-expanded="true"]';
const PANEL = "data-query-open"; // on the document while the panel is open; see query_strip.js
const PLACE = "stFloatingOverlayPortal";
const SHEET = "sheet"; // marks the entry of the history that a step back leaves

// Whether a sheet is open, the page's address as it was last seen, and whether our own step back is under way.
const sheet = { isOpen: false, address: "", isLeaving: false };

function closeSheet() {
  const strip = document.querySelector('.st-key-query-strip [data-testid="stBidiComponentIsolated"]')?.shadowRoot;
  const panel = document.documentElement.hasAttribute(PANEL) ? strip?.querySelector(".change") : null;
  (document.querySelector(OPENED) ?? panel)?.click();
}

function addHead(body, done) {
  if (body.querySelector(".sheet-head")) return;
  const [name] = (body.getAttribute("aria-label") ?? "").split(" · "); // without how many filters there were
  const close = element("button", "", done);
  close.type = "button";
  close.onclick = closeSheet;
  const head = element("div", "sheet-head");
  head.append(element("strong", "", name), close);
  body.prepend(head);
}

function lookForSheet(words) {
  const opened = document.querySelector(OPENED);
  const isOpen = TELEPHONE.matches && Boolean(opened || document.documentElement.hasAttribute(PANEL));
  const body = document.querySelector('[data-testid="stPopoverBody"]');
  if (opened && !body) return requestAnimationFrame(() => lookForSheet(words)); // it comes after its button has changed
  if (opened) addHead(body, words.done);
  if (isOpen && !sheet.isOpen) history.pushState({ ...history.state, [SHEET]: true }, "", location.href);
  sheet.address = location.href;
  if (!isOpen && sheet.isOpen && history.state?.[SHEET]) {
    sheet.isLeaving = true;
    history.back();
  }
  sheet.isOpen = isOpen;
}

// Before Streamlit, which would draw the page anew.
function step(event) {
  if (sheet.isLeaving) {
    sheet.isLeaving = false;
    if (location.href === sheet.address) event.stopImmediatePropagation();
  } else if (sheet.isOpen) {
    event.stopImmediatePropagation();
    sheet.isOpen = false;
    // What was chosen in the sheet stays.
    if (location.href !== sheet.address) history.pushState({}, "", sheet.address);
    closeSheet();
  } else if (event.state?.[SHEET]) {
    event.stopImmediatePropagation();
    // An entry of a sheet in which something was chosen is passed over, both ways: the one before is of the same search.
    if (location.href === sheet.address) history.forward();
    else history.back();
  }
  sheet.address = location.href;
}

function watchSheets(words, signal) {
  const watch = new MutationObserver(() => lookForSheet(words));
  // A menu opens or closes, or a run of the page ends, which may have changed the address or taken the menu away.
  const attributeFilter = ["aria-expanded", "data-test-script-state", PANEL];
  watch.observe(document.documentElement, { subtree: true, attributeFilter });
  signal.addEventListener("abort", () => watch.disconnect());
  lookForSheet(words); // at what changed between the watch before this one and this one
  // The address may change while the page's script still runs. Browsers without this see it once something is drawn.
  window.navigation?.addEventListener("currententrychange", ({ navigationType }) => {
    if (navigationType !== "traverse") sheet.address = location.href;
  }, { signal });
  window.addEventListener("popstate", step, { capture: true, signal });
  // What dims the page around a sheet belongs to the place that sheets are drawn in.
  document.addEventListener("click", (event) => event.target.id === PLACE && closeSheet(), { signal });
}
