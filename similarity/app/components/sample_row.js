// One row of pictures to try; more on request. Names are set as text, never as markup.

function draw(sample, setTriggerValue) {
  const item = document.createElement("li");
  const made = document.createElement("button");
  made.type = "button";
  const image = new Image();
  image.alt = sample.alt;
  image.src = sample.src;
  const name = document.createElement("span");
  name.textContent = sample.name;
  name.setAttribute("aria-hidden", "true"); // the picture says so
  made.append(image, name);
  made.onclick = () => setTriggerValue("open", sample.id);
  item.append(made);
  return item;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const row = parentElement.querySelector("ul");
  const more = parentElement.querySelector(".more");
  row.replaceChildren(...data.samples.map((sample) => draw(sample, setTriggerValue)));
  const show = (isAll) => {
    row.classList.toggle("all", isAll);
    more.setAttribute("aria-expanded", String(isAll));
    more.textContent = isAll ? data.less : data.more;
  };
  more.onclick = () => show(!row.classList.contains("all"));
  show(row.classList.contains("all"));
}
