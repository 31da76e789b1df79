// Streamlit's menu on a narrow screen is named after its arrow, and stays open over the page that was chosen.

const NARROW = 768; // Streamlit lays the menu over the page up to here
const CLOSE = '[data-testid="stSidebarCollapseButton"] button';
const OPEN = '[data-testid="stExpandSidebarButton"]';

let mending;

function name(words) {
  document.querySelector(OPEN)?.setAttribute("aria-label", words.open);
  document.querySelector(CLOSE)?.setAttribute("aria-label", words.close);
}

export default function ({ data }) {
  mending?.abort();
  const mine = new AbortController();
  mending = mine;
  const closeAfterChoice = (event) => {
    const isChoice = event.target.closest?.('[data-testid="stSidebarNavLink"]');
    if (isChoice && window.innerWidth <= NARROW) setTimeout(() => document.querySelector(CLOSE)?.click());
  };
  document.addEventListener("click", closeAfterChoice, { signal: mine.signal });
  // The buttons come and go with the width of the screen, and with the menu.
  const watch = new MutationObserver(() => name(data));
  watch.observe(document.querySelector('[data-testid="stApp"]'), { childList: true, subtree: true });
  mine.signal.addEventListener("abort", () => watch.disconnect());
  watchSheets(data, mine.signal);
  name(data);
  return () => mine.abort();
}
