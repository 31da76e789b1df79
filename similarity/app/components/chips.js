// Small pictures in a row, each a button. Names are set as text, never as markup.

function draw(chip, place, data, setTriggerValue) {
  const made = document.createElement("button");
  made.type = "button";
  made.title = chip.name;
  made.dataset.place = place;
  made.setAttribute("aria-pressed", String(place === data.chosen));
  if (chip.src) {
    const image = new Image();
    image.alt = "";
    image.src = chip.src;
    made.append(image);
    made.setAttribute("aria-label", chip.name);
  } else {
    made.className = "words";
    made.textContent = chip.name;
  }
  made.onclick = () => setTriggerValue("choose", place);
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const row = parentElement.querySelector(".chips");
  const focused = row.getRootNode().activeElement?.dataset.place;
  const title = document.createElement("span");
  title.textContent = data.title;
  row.setAttribute("aria-label", data.title);
  row.replaceChildren(title, ...data.chips.map((chip, place) => draw(chip, place, data, setTriggerValue)));
  if (focused !== undefined) row.querySelector(`[data-place="${focused}"]`)?.focus({ preventScroll: true });
}
