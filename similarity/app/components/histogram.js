// How many results have each value of a column, as bars, each a button that filters. Names are set as text, never as
// markup.

// Bars before the rest is folded away, and values from which on they can be looked for.
const SHOWN = 8;
const MANY = 20;

function bar(value, column, most, setTriggerValue) {
  const button = element("button", "bar");
  button.type = "button";
  button.title = value.name;
  button.dataset.of = `${column.id} ${value.id}`;
  button.classList.toggle("none", value.count === 0);
  button.setAttribute("aria-pressed", String(value.chosen));
  button.setAttribute("aria-label", `${value.name}: ${value.count}`);
  const track = element("span", "track");
  const filled = document.createElement("i");
  filled.style.width = `${most ? (100 * value.count) / most : 0}%`;
  track.append(filled);
  const box = element("span", "box", value.chosen ? "✓" : "");
  button.append(box, element("span", "name", value.name), track, element("span", "count", value.count.toLocaleString("en")));
  button.onclick = () => setTriggerValue("toggle", { column: column.id, value: value.id });
  const item = element("li", "");
  item.append(button);
  return item;
}

function bars(column, state, setTriggerValue) {
  const part = element("div", "bars");
  const list = element("ul", "");
  const most = Math.max(...column.values.map((value) => value.count));
  const isOpen = state.expanded.has(column.id);
  const fill = () => {
    const sought = (state.sought.get(column.id) ?? "").toLowerCase();
    const fitting = column.values.filter((value, place) =>
      isOpen ? value.name.toLowerCase().includes(sought) : place < SHOWN || value.chosen,
    );
    list.replaceChildren(...fitting.map((value) => bar(value, column, most, setTriggerValue)));
    return fitting.length;
  };
  list.classList.toggle("long", isOpen);
  const shown = fill();
  if (isOpen && column.values.length > MANY) {
    const field = element("input", "");
    field.type = "search";
    field.placeholder = `Find in ${column.values.length}`;
    field.setAttribute("aria-label", `Find in ${column.name}`);
    field.dataset.of = `${column.id} find`;
    field.value = state.sought.get(column.id) ?? "";
    field.oninput = () => {
      state.sought.set(column.id, field.value);
      fill();
    };
    part.append(field);
  }
  part.append(list);
  const left = column.values.length - (isOpen ? SHOWN : shown);
  if (left > 0) {
    const further = element("button", "further", isOpen ? "Show fewer" : `and ${left.toLocaleString("en")} more`);
    further.type = "button";
    further.setAttribute("aria-expanded", String(isOpen));
    further.dataset.of = `${column.id} further`;
    further.onclick = () => {
      state.sought.delete(column.id);
      isOpen ? state.expanded.delete(column.id) : state.expanded.add(column.id);
      state.draw();
    };
    part.append(further);
  }
  return part;
}

// The first column is open; of the others one sees what there is.
function section(column, isFirst, state, setTriggerValue) {
  const drawn = bars(column, state, setTriggerValue);
  if (isFirst) {
    const made = element("section", "");
    const heading = element("h3", "", column.name);
    if (column.note) heading.append(element("small", "", `, ${column.note}`));
    made.append(heading, drawn);
    return made;
  }
  const made = element("details", "");
  made.open = state.opened.get(column.id) ?? column.values.some((value) => value.chosen);
  made.ontoggle = () => state.opened.set(column.id, made.open);
  const summary = element("summary", "", `${column.name} `);
  summary.dataset.of = `${column.id} summary`;
  summary.append(element("small", "", column.values.length.toLocaleString("en")));
  made.append(summary, drawn);
  return made;
}

const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".histogram");
  const state = states.get(root) ?? { expanded: new Set(), opened: new Map(), sought: new Map() };
  states.set(root, state);
  state.draw = () => {
    const of = root.getRootNode().activeElement?.dataset?.of;
    const scrolled = [...root.querySelectorAll("ul")].map((list) => list.scrollTop);
    root.replaceChildren(
      ...data.columns.map((column, place) => section(column, place === 0, state, setTriggerValue)),
    );
    root.querySelectorAll("ul").forEach((list, place) => (list.scrollTop = scrolled[place] ?? 0));
    if (of) root.querySelector(`[data-of="${CSS.escape(of)}"]`)?.focus({ preventScroll: true });
  };
  state.draw();
}
