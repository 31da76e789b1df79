// Watches for the lightbox to be closed, also before its content is there: then no picture stands in the address, and
// whoever uses the keyboard is at the one they left.

const [DIALOG, CONTENT] = ['[data-testid="stDialog"]', ".st-key-lightbox"];
// Milliseconds: in which a dialog closes after somebody wants it to; after which the browser has put the focus back
// where it thinks best; and after which a step to another picture has been answered, which sets the address once more.
const [CLOSING, SETTLED, ANSWERED] = [3000, 100, 300];

let closedAt = -CLOSING;
let watching;

function openPicture() {
  return new URLSearchParams(location.search).get("open");
}

// Its button, what lies around it, or a key; a dialog that goes by itself is drawn again.
function noteClosing(event) {
  const isOutside = !event.target.closest?.(CONTENT) && event.key !== "Tab";
  if (document.querySelector(DIALOG) && (event.key === "Escape" || isOutside)) closedAt = performance.now();
}

// By a step back if one came from the search, as with the browser's own button.
function clearAddress() {
  if (openPicture() === null) return;
  if (history.state?.lightbox) {
    history.back();
    return;
  }
  const address = new URL(location.href);
  address.searchParams.delete("open");
  history.replaceState(history.state, "", address);
  dispatchEvent(new PopStateEvent("popstate")); // Streamlit reads the address then
}

// Grids of pictures are told which one was left, and the one that has it gives it the focus, see tiles.js: once, and
// not if somebody has gone on meanwhile.
function returnTo(id) {
  const acted = new AbortController();
  for (const kind of ["keydown", "pointerdown"]) {
    window.addEventListener(kind, () => acted.abort(), { signal: acted.signal, capture: true });
  }
  setTimeout(() => {
    const isElsewhere = document.activeElement && document.activeElement !== document.body;
    if (!acted.signal.aborted && id && !isElsewhere && !document.querySelector(DIALOG)) {
      document.dispatchEvent(new CustomEvent("similarity-closed", { detail: id }));
    }
    acted.abort();
  }, SETTLED);
}

function leave(dialog) {
  const isNamed = openPicture() !== null;
  if (document.querySelector(DIALOG) || (isNamed && performance.now() - closedAt > CLOSING)) return;
  returnTo(dialog.dataset.picture ?? openPicture());
  setTimeout(clearAddress, dialog.hasAttribute("data-answering") ? ANSWERED : 0);
}

function watchDialogs() {
  const end = new AbortController();
  for (const kind of ["keydown", "pointerdown", "pointerup", "click"]) {
    document.addEventListener(kind, noteClosing, { signal: end.signal, capture: true });
  }
  const watch = new MutationObserver((changes) => {
    const gone = changes.flatMap((change) => [...change.removedNodes]).find((node) => node.matches?.(DIALOG));
    if (gone) leave(gone);
  });
  watch.observe(document.body, { childList: true });
  end.signal.addEventListener("abort", () => watch.disconnect());
  return end;
}

export default function ({ data }) {
  if (data.new && openPicture() !== null && !history.state?.lightbox) {
    history.replaceState({ ...history.state, lightbox: true }, "", location.href);
  }
  watching?.abort();
  const mine = watchDialogs();
  watching = mine;
  return () => mine.abort();
}
