// A picture on which a rectangle is dragged; the rectangle is moved and sized with pointer or keys.

const SMALLEST = 0.04;
const STEP = 0.02;
const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

const within = (value, low, high) => Math.min(high, Math.max(low, value));

function moved([left, top, right, bottom], dx, dy) {
  dx = within(dx, -left, 1 - right);
  dy = within(dy, -top, 1 - bottom);
  return [left + dx, top + dy, right + dx, bottom + dy];
}

function sized([left, top, right, bottom], dx, dy) {
  return [left, top, within(right + dx, left + SMALLEST, 1), within(bottom + dy, top + SMALLEST, 1)];
}

function spanned([x, y], dx, dy) {
  const [u, v] = [within(x + dx, 0, 1), within(y + dy, 0, 1)];
  return [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];
}

export default function ({ data, parentElement, setTriggerValue }) {
  const surface = parentElement.querySelector(".crop");
  const image = surface.querySelector("img");
  const frame = surface.querySelector(".box");
  const handle = surface.querySelector(".handle");
  let box = data.box;

  const draw = () => {
    frame.classList.toggle("shown", box !== null);
    if (box === null) return;
    const [left, top, right, bottom] = box.map((edge) => edge * 100);
    frame.style.inset = `${top}% ${100 - right}% ${100 - bottom}% ${left}%`;
  };
  const tell = () => setTriggerValue("box", box);

  // Its size is known before it is drawn, so that nothing moves when it is.
  [image.width, image.height] = data.size;
  if (image.src !== data.src) image.src = data.src;
  image.alt = data.alt;
  draw();

  surface.onpointerdown = (down) => {
    if (down.button !== 0) return;
    const area = surface.getBoundingClientRect();
    const at = (event) => [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    const [x, y] = at(down);
    const before = box;
    const change = down.target === handle ? sized : down.target === frame ? moved : null;
    let dragged = false;

    const move = (event) => {
      const [u, v] = at(event);
      dragged ||= Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > 4;
      if (!dragged) return;
      box = change ? change(before, u - x, v - y) : spanned([x, y], u - x, v - y);
      draw();
    };
    const end = (event) => {
      surface.onpointermove = surface.onpointerup = surface.onpointercancel = null;
      if (event.type === "pointercancel" || !dragged) box = before;
      else if (box[2] - box[0] < SMALLEST || box[3] - box[1] < SMALLEST) box = before;
      draw();
      if (box !== before) tell();
    };
    surface.setPointerCapture(down.pointerId);
    surface.onpointermove = move;
    surface.onpointerup = surface.onpointercancel = end;
  };

  frame.onkeydown = (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    box = (event.shiftKey ? sized : moved)(box, ...MOVES[event.key]);
    draw();
  };
  // Keys are told of when they are let go, so that holding one down is one change.
  frame.onkeyup = (event) => {
    if (event.key in MOVES) tell();
  };
}
