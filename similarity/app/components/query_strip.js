// What is searched for, in one strip. All that comes from a gallery or a visitor is set as text, never as markup.

const OPEN = "data-query-open"; // style.py shows the panel of the query by it, on a telephone
const RAIL = ".st-key-query-rail";
const MOST = 3; // pictures for which there is room; of the others their number is shown

function thumb({ src, alt, wanted }) {
  const made = new Image();
  made.src = src;
  made.alt = alt;
  made.className = wanted ? "" : "unwanted";
  return made;
}

// The panel as a whole: a field of it would have a ring that nobody asked for.
function enter(panel) {
  if (!panel) return;
  panel.tabIndex = -1;
  panel.focus({ preventScroll: true });
}

function chip(text, place, words, setTriggerValue) {
  const item = document.createElement("li");
  const made = document.createElement("button");
  made.type = "button";
  made.setAttribute("aria-label", `${words.remove}: ${text}`);
  const name = document.createElement("span");
  name.textContent = text;
  const cross = document.createElement("i");
  cross.textContent = "×";
  cross.setAttribute("aria-hidden", "true");
  made.append(name, cross);
  made.onclick = () => setTriggerValue("remove", place);
  item.append(made);
  return item;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const [strip, query, filters, change] = [".strip", ".query", ".filters", ".change"].map(find);
  const page = document.documentElement;
  const hadFocus = [...filters.querySelectorAll("button")].indexOf(filters.getRootNode().activeElement);

  const open = (isOpen) => {
    page.toggleAttribute(OPEN, isOpen);
    change.textContent = isOpen ? data.words.done : data.words.change;
    change.setAttribute("aria-expanded", String(isOpen));
    query.setAttribute("aria-label", data.words.query);
  };
  const toggle = () => {
    open(!page.hasAttribute(OPEN));
    if (page.hasAttribute(OPEN)) enter(document.querySelector(RAIL));
    else change.focus();
  };
  query.replaceChildren(...data.thumbs.slice(0, MOST).map(thumb));
  if (data.thumbs.length > MOST) query.append(element("span", "", `+${data.thumbs.length - MOST}`));
  query.hidden = change.hidden = !data.thumbs.length;
  filters.replaceChildren(...data.filters.map((text, place) => chip(text, place, data.words, setTriggerValue)));
  filters.hidden = !data.filters.length;
  strip.classList.toggle("plain", !data.thumbs.length);
  strip.classList.toggle("empty", !data.thumbs.length && !data.filters.length);
  // Whoever removes filters with the keyboard goes on with the next one.
  const left = filters.querySelectorAll("button");
  if (hadFocus >= 0) (left[Math.min(hadFocus, left.length - 1)] ?? change).focus({ preventScroll: true });
  if (strip.dataset.of !== data.id) open(false);
  else open(page.hasAttribute(OPEN));
  strip.dataset.of = data.id;
  query.onclick = change.onclick = toggle;
  strip.onkeydown = (event) => event.key === "Escape" && page.hasAttribute(OPEN) && toggle();
  return () => page.removeAttribute(OPEN);
}
