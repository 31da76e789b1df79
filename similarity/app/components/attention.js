// Scrolls to a fault in a form: to its field, which is marked and has the focus, or to the message; and to the top of a
// view that one has gone to.

const fieldOf = ({ field }) => field && document.querySelector(`.st-key-${CSS.escape(field)} :is(input, textarea)`);

const shown = new WeakMap();

// What one has gone to is seen from its top, wherever the page was before.
function beginAtTop(view, place) {
  if (shown.has(place) && shown.get(place) !== view) {
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }
  shown.set(place, view);
}

export default function ({ data, parentElement }) {
  if (data.view !== undefined) return beginAtTop(data.view, parentElement);
  const input = fieldOf(data);
  const said = (parentElement.host ?? parentElement).closest('[data-testid="stVerticalBlock"]');
  (input || said)?.scrollIntoView({ block: "center" });
  if (!input) return undefined;
  input.setAttribute("aria-invalid", "true");
  input.focus({ preventScroll: true });
  return () => input.removeAttribute("aria-invalid");
}
