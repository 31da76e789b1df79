// Mouse, fingers and keys on the map: moving it, zooming, pointing at pictures, opening them, and the lasso.

const CLICK = 5; // pixels that a pointer may move within a click
const KEY_STEP = 80;
const LASSO_STEP = 4;

const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

class Gestures {
  // `act` has: point(x, y), leave(), open(x, y), openMiddle(), lasso(path), lassoDone(path), escape(), hasLasso().
  constructor(view, camera, act) {
    Object.assign(this, { view, camera, act, pointers: new Map(), path: null, moved: 0 });
    view.addEventListener("pointerdown", (event) => this.down(event));
    view.addEventListener("pointermove", (event) => this.move(event));
    for (const kind of ["pointerup", "pointercancel"]) view.addEventListener(kind, (event) => this.up(event));
    view.addEventListener("pointerleave", () => this.pointers.size || act.leave());
    view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    view.addEventListener("dblclick", (event) => camera.zoomAt(2, ...this.at(event)));
    view.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    const box = this.view.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button > 0) return;
    const at = this.at(event);
    this.view.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 1) {
      this.moved = 0;
      this.path = event.shiftKey || this.act.hasLasso() ? [at] : null;
    } else if (this.path) {
      this.path = null; // two fingers zoom
      this.act.lasso([]);
    }
  }

  move(event) {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.act.point(...at);
      return;
    }
    this.moved += distance(before, at);
    if (this.path) {
      if (distance(this.path.at(-1), at) > LASSO_STEP) this.path.push(at);
      this.act.lasso(this.path);
    } else if (this.pointers.size === 1) {
      if (this.moved > CLICK) {
        this.view.classList.add("dragged");
        this.act.leave();
        this.camera.pan(at[0] - before[0], at[1] - before[1]);
      }
    } else {
      this.pinch(event.pointerId, before, at);
    }
    this.pointers.set(event.pointerId, at);
  }

  pinch(id, before, at) {
    const other = [...this.pointers].find(([one]) => one !== id)[1];
    const factor = Math.max(1, distance(at, other)) / Math.max(1, distance(before, other));
    this.camera.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    this.camera.zoomAt(factor, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    this.moved += CLICK + 1; // not a tap
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.view.classList.remove("dragged");
    if (this.pointers.size) return;
    const path = this.path;
    this.path = null;
    if (path) this.act.lasso([]);
    if (event.type === "pointercancel") return;
    if (this.moved <= CLICK) this.act.open(...this.at(event));
    else if (path) this.act.lassoDone(path);
  }

  wheel(event) {
    const isOut = event.deltaY > 0;
    if (isOut && this.camera.zoom === 1 && !event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? 30 * event.deltaY : event.deltaY;
    this.camera.zoomAt(Math.exp(-between(pixels, -300, 300) * (event.ctrlKey ? 0.01 : 0.0022)), ...this.at(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key in moves) {
      this.camera.arrive();
      this.camera.pan(...moves[event.key].map((step) => step * KEY_STEP));
    } else if (event.key === "+" || event.key === "=") this.camera.zoomBy(1.6);
    else if (event.key === "-") this.camera.zoomBy(1 / 1.6);
    else if (event.key === "0") this.camera.fit();
    else if (event.key === "Enter") this.act.openMiddle();
    else if (event.key === "Escape") this.act.escape();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

// Whether a place lies in a polygon: a ray from it crosses the border an odd number of times.
function isInside([x, y], polygon) {
  let inside = false;
  for (let here = 0, before = polygon.length - 1; here < polygon.length; before = here, here += 1) {
    const [[x1, y1], [x2, y2]] = [polygon[here], polygon[before]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
