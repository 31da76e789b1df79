// Pictures in a grid, each a button. All that comes from a gallery is set as text, never as markup.

const MARKS = { right: "✓", wrong: "✗", shared: "=" };

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function frame(tile) {
  const made = element("span", "frame");
  const image = new Image();
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = tile.alt;
  image.src = tile.src;
  made.append(image);
  if (tile.rank) made.append(element("span", "rank", tile.rank));
  if (MARKS[tile.mark]) made.append(element("span", `mark ${tile.mark}`, MARKS[tile.mark]));
  return made;
}

function score(tile) {
  const made = element("span", "score");
  const bar = element("span", "bar");
  const filled = document.createElement("i");
  filled.style.width = `${Math.max(0, Math.min(1, tile.score)) * 100}%`;
  bar.append(filled);
  made.append(bar, element("span", "number", tile.score.toFixed(3)));
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".tiles");
  list.classList.toggle("small", Boolean(data.small));
  const first = data.tiles[0]?.rank;
  const hasTurned = first && list.dataset.first && list.dataset.first !== first;
  list.dataset.first = first ?? "";
  list.replaceChildren(
    ...data.tiles.map((tile) => {
      const item = document.createElement("li");
      const button = element("button", `tile ${tile.mark}`);
      button.type = "button";
      button.title = tile.hint;
      button.append(frame(tile));
      if (tile.score !== null) button.append(score(tile));
      for (const name of ["label", "name", "note"]) {
        if (tile[name]) button.append(element("span", name, tile[name]));
      }
      button.onclick = () => setTriggerValue("open", tile.id);
      item.append(button);
      return item;
    }),
  );
  // Another page is read from its beginning.
  if (hasTurned && list.getBoundingClientRect().top < 0) list.scrollIntoView();
}
