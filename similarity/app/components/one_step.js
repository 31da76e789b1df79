// Makes one entry of the history of each way to another page. A page that leads to one writes that page's query into its
// own address first, as an entry from which Back would lead to the page that one is on.
function goInOneStep() {
  const [push, replace] = [history.pushState.bind(history), history.replaceState.bind(history)];
  let written = ""; // an address that a page has written, and nobody has done anything since
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => (written = ""), { capture: true, passive: true });
  }
  history.pushState = (state, title, url) => {
    const next = new URL(url ?? location.href, location.href);
    const isOther = next.pathname !== location.pathname;
    const isSecond = isOther && written === location.href && next.search === location.search;
    (isSecond ? replace : push)(state, title, url);
    written = isOther ? "" : location.href;
  };
}
