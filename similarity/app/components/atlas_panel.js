// The list of groups beside the map, the card of a picture, and the text at the mouse. All that comes from a gallery is
// set as text, never as markup.

const LASSO_HINT = "Draw around pictures to select them.";

function makeButton(className, text, act) {
  const made = element("button", className, text);
  made.type = "button";
  made.onclick = act;
  return made;
}

const countOf = (count) => `${count.toLocaleString("en")} ${count === 1 ? "picture" : "pictures"}`;

// One group: a click zooms to it, another button selects its pictures; pointing at it dims the others.
function groupRow(group, number, atlas) {
  const row = element("li", "");
  const zoom = makeButton("group", undefined, () => atlas.showGroup(number));
  const image = new Image();
  [image.alt, image.loading, image.src] = ["", "lazy", atlas.addressOf(group.typical)];
  const words = element("span", "words");
  const name = group.name || group.mixed;
  if (name) words.append(element("span", "name", name));
  const count = group.mixed ? `${countOf(group.count)}, mixed` : countOf(group.count);
  words.append(element("span", name ? "count" : "name", count));
  zoom.append(image, words);
  zoom.title = `Zoom to ${name || "this group"}`;
  const pick = makeButton("pick", "Select", () => atlas.select(atlas.membersOf(number)));
  pick.setAttribute("aria-label", `Select the ${countOf(group.count)} of ${name || `group ${number + 1}`}`);
  row.append(zoom, pick);
  for (const kind of ["pointerenter", "focusin"]) row.addEventListener(kind, () => atlas.emphasise(number));
  for (const kind of ["pointerleave", "focusout"]) row.addEventListener(kind, () => atlas.emphasise(null));
  return row;
}

function fillGroups(list, atlas) {
  list.replaceChildren(...atlas.map.clusters.map((group, number) => groupRow(group, number, atlas)));
}

function fillLabels(select, labels) {
  const options = ["All labels", ...labels].map((text, place) => {
    const option = document.createElement("option");
    [option.value, option.textContent] = [String(place - 1), text];
    return option;
  });
  select.replaceChildren(...options);
  select.hidden = labels.length < 2;
}

// A text or a card near a box on the screen, inside the map.
function putNear(element, [left, top, width, height], camera) {
  const [across, down] = [element.offsetWidth, element.offsetHeight];
  const isRight = left + width + 12 + across <= camera.width;
  const x = isRight ? left + width + 12 : left - 12 - across;
  const y = top + height / 2 - down / 2;
  element.style.left = `${between(x, 8, Math.max(8, camera.width - across - 8))}px`;
  element.style.top = `${between(y, 8, Math.max(8, camera.height - down - 8))}px`;
}

// Its place is known before it is there, so that nothing moves.
function pictureOf(index, atlas, alt, widest, highest) {
  const image = new Image();
  const [w, h] = [atlas.map.sizes[2 * index], atlas.map.sizes[2 * index + 1]];
  const scale = Math.min(widest / w, highest / h);
  [image.width, image.height, image.alt, image.src] = [Math.round(w * scale), Math.round(h * scale), alt, atlas.addressOf(index)];
  return image;
}

function factsOf(index, atlas) {
  const label = atlas.map.labels[atlas.map.labelOf[index]];
  const facts = label ? [element("strong", "", label)] : [];
  return [...facts, element("span", "file", atlas.map.names[index])];
}

function showTip(tip, index, atlas, box) {
  tip.hidden = index === null;
  if (index === null) return;
  if (tip.dataset.index !== String(index)) {
    tip.replaceChildren(pictureOf(index, atlas, "", 150, 150), ...factsOf(index, atlas));
    tip.dataset.index = String(index);
  }
  putNear(tip, box, atlas.camera);
}

function showCard(card, index, atlas, box) {
  const name = atlas.map.names[index];
  const alt = atlas.map.labels[atlas.map.labelOf[index]] || name;
  const isNarrow = atlas.camera.width < 500;
  const image = isNarrow ? pictureOf(index, atlas, alt, 160, 130) : pictureOf(index, atlas, alt, 214, 190);
  const close = makeButton("close", "×", () => atlas.closeCard());
  close.setAttribute("aria-label", "Close");
  const search = makeButton("primary", "Search with it", () => atlas.send("open", index));
  card.replaceChildren(close, image, ...factsOf(index, atlas), search);
  card.setAttribute("aria-label", name);
  card.hidden = false;
  putNear(card, box, atlas.camera);
  return search;
}
