// Sets the height of pictures in pixels, and whether a tap selects; the grids on the page hear of it, see tiles.js.

const [SIZE, SELECT, CAN_SELECT] = ["similarity-tile-height", "similarity-select", "similarity-can-select"];

const CHECK = "M9 16.2 4.8 12l-1.4 1.4L9 19 21 7l-1.4-1.4z";

function showSelect(button) {
  button.append(symbol(CHECK), "Select");
  const show = () => {
    button.hidden = !document.documentElement.hasAttribute(`data-${CAN_SELECT}`);
    button.setAttribute("aria-pressed", "false");
  };
  window.addEventListener(CAN_SELECT, show);
  show();
  button.onclick = () => {
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isOn));
    window.dispatchEvent(new CustomEvent(SELECT, { detail: isOn }));
  };
}

export default function ({ parentElement }) {
  const slider = parentElement.querySelector(".size");
  if (slider.oninput) return;
  let stored = null;
  try {
    stored = localStorage.getItem(SIZE);
  } catch { /* a browser that stores nothing has the usual size */ }
  slider.value = stored ?? (window.innerWidth <= 640 ? 140 : 180);
  slider.oninput = () => {
    try {
      localStorage.setItem(SIZE, slider.value);
    } catch { /* ... and keeps it while the page is open */ }
    window.dispatchEvent(new CustomEvent(SIZE, { detail: Number(slider.value) }));
  };
  showSelect(parentElement.querySelector(".select"));
}
