// A palette: a list of places and actions that is opened by key and narrowed by typing. Names are set as text, never
// as markup.

const SHORTCUTS = {
  "Everywhere": [
    ["/", "Go to a page, a gallery or an action"],
    ["Ctrl K or ⌘ K", "The same, also while typing"],
    ["?", "Show these shortcuts"],
    ["Esc", "Close what is open"],
  ],
  "Results": [
    ["← → ↑ ↓", "Move between pictures"],
    ["Home End", "First or last picture"],
    ["Enter", "Open the picture"],
    ["x", "Select it, or no longer"],
    ["Shift-click", "Select all up to here"],
  ],
  "Open picture": [
    ["← →", "Previous or next result"],
  ],
  "Map": [
    ["← → ↑ ↓", "Move"],
    ["+ −", "Zoom in or out"],
    ["0", "Show all"],
    ["Enter", "Open the picture in the middle"],
  ],
};
const COPY = { kind: "client", value: "copy", group: "Actions", name: "Copy the link to this page" };
const KEYS = { kind: "client", value: "keys", group: "Actions", name: "Keyboard shortcuts" };
const APPEARANCE = { kind: "client", value: "appearance", group: "Actions", name: "Dark or light…", also: "mode theme appearance" };
const EXPORT = { kind: "client", value: "export", group: "Actions", name: "Export results…" };
const FOLLOWS = "The app is dark or light as your system is: change it in the settings of your system or browser.";
const MOST = 60;

// The element that a key goes to, inside elements of our own too.
function isTyping(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && (target.matches("input, textarea, select") || target.isContentEditable);
}

function exportButton() {
  const menus = document.querySelectorAll('[data-testid="stPopover"] button');
  return [...menus].find((button) => button.textContent.trim().endsWith("Export"));
}

// Those that have all the words, first those whose name begins with what was typed.
function matching(entries, typed) {
  const wanted = typed.trim().toLowerCase();
  const words = wanted.split(/\s+/);
  const isMeant = (entry) => {
    const text = `${entry.name} ${entry.group} ${entry.also ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const isLater = (entry) => Number(!entry.name.toLowerCase().startsWith(wanted));
  return entries.filter(isMeant).sort((one, other) => isLater(one) - isLater(other)).slice(0, MOST);
}

class Palette {
  constructor(root) {
    this.dialog = root.querySelector("dialog");
    this.field = root.querySelector("input");
    this.list = root.querySelector(".options");
    this.said = root.querySelector(".said");
    this.keys = root.querySelector(".keys");
    this.open = root.querySelector(".open");
    this.open.onclick = () => this.show();
    this.field.oninput = () => this.draw();
    this.field.onkeydown = (event) => this.move(event);
    // The shade around it is the dialog itself.
    this.dialog.onclick = (event) => event.target === this.dialog && this.dialog.close();
    this.keys.append(
      ...Object.entries(SHORTCUTS).map(([where, keys]) => {
        const group = element("section", "");
        const list = element("dl", "");
        for (const [key, what] of keys) {
          const term = element("dt", "");
          term.append(element("kbd", "", key));
          list.append(term, element("dd", "", what));
        }
        group.append(element("h2", "title", where), list);
        return group;
      }),
    );
    this.stop = new AbortController();
    window.addEventListener("keydown", (event) => this.listen(event), { signal: this.stop.signal });
  }

  listen(event) {
    const isCalled = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event);
    if (!isCalled && !(isPlain && (event.key === "/" || event.key === "?"))) return;
    if (!this.dialog.open && document.querySelector('[role="dialog"]')) return; // one thing at a time
    event.preventDefault();
    event.stopPropagation();
    if (isCalled && this.dialog.open) this.dialog.close();
    else this.show(event.key === "?");
  }

  show(withKeys = false) {
    this.showKeys(withKeys);
    this.field.value = "";
    if (!this.dialog.open) this.dialog.showModal();
    this.draw();
    (withKeys ? this.keys : this.field).focus();
  }

  showKeys(isShown) {
    this.dialog.classList.toggle("with-keys", isShown);
  }

  entries() {
    const pages = this.data.entries.filter((entry) => entry.kind === "page");
    const others = this.data.entries.filter((entry) => entry.kind !== "page");
    return [...pages, ...others, ...(exportButton() ? [EXPORT] : []), COPY, APPEARANCE, KEYS];
  }

  draw() {
    const shown = matching(this.entries(), this.field.value);
    const groups = new Map();
    for (const entry of shown) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
    this.options = [];
    this.list.replaceChildren(...[...groups].map(([name, entries]) => this.group(name, entries)));
    this.said.textContent = shown.length ? `${shown.length} to choose from` : "Nothing has this name.";
    this.said.classList.toggle("nothing", !shown.length);
    this.choose(0);
  }

  group(name, entries) {
    const made = element("div", "group");
    made.setAttribute("role", "group");
    made.setAttribute("aria-label", name);
    const title = element("span", "title", name);
    title.setAttribute("aria-hidden", "true");
    made.append(title, ...entries.map((entry) => this.option(entry)));
    return made;
  }

  option(entry) {
    const made = element("div", "option", entry.name);
    const place = this.options.length;
    made.id = `option-${place}`;
    made.setAttribute("role", "option");
    made.onclick = () => this.take(entry);
    made.onpointermove = () => this.place === place || this.choose(place);
    this.options.push({ entry, made });
    return made;
  }

  choose(place) {
    this.place = Math.max(0, Math.min(place, this.options.length - 1));
    this.options.forEach(({ made }, at) => made.setAttribute("aria-selected", String(at === this.place)));
    const chosen = this.options[this.place]?.made;
    this.field.setAttribute("aria-activedescendant", chosen?.id ?? "");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  move(event) {
    const last = this.options.length - 1;
    const places = {
      ArrowDown: this.place === last ? 0 : this.place + 1,
      ArrowUp: this.place === 0 ? last : this.place - 1,
      PageDown: this.place + 8,
      PageUp: this.place - 8,
    };
    if (event.key in places) {
      event.preventDefault();
      this.choose(places[event.key]);
    } else if (event.key === "Enter" && !event.isComposing && this.options[this.place]) {
      event.preventDefault();
      this.take(this.options[this.place].entry);
    }
    // Streamlit has keys of its own.
    if (event.key !== "Escape" && !event.ctrlKey && !event.metaKey) event.stopPropagation();
  }

  async take({ kind, value, name }) {
    if (kind !== "client") {
      this.dialog.close();
      this.tell("choose", { kind, value });
    } else if (value === "keys") {
      this.showKeys(true);
      this.keys.focus();
    } else if (value === "appearance") {
      this.say(FOLLOWS);
    } else if (value === "export") {
      this.dialog.close();
      exportButton()?.click();
    } else {
      const copied = opensHereOnly() ? "Copied. It opens on this computer only." : "Copied.";
      this.say(await copyText(location.href).then(() => copied, () => `${name}: ${location.href}`));
    }
  }

  say(text) {
    this.said.textContent = text;
    this.said.classList.add("nothing");
  }
}

const palettes = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const palette = palettes.get(parentElement) ?? new Palette(parentElement);
  palettes.set(parentElement, palette);
  palette.data = data;
  palette.tell = setTriggerValue;
  return () => {
    palette.stop.abort();
    palettes.delete(parentElement);
  };
}
