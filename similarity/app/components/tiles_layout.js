// The places of pictures in rows that fill the width, each as wide as its ratio makes it at the height of its row.

// Beyond these ratios a picture is shown whole in a frame of such a ratio: it would be a line, or fill several rows.
const [NARROWEST, WIDEST] = [0.4, 3.2];

const within = (value, low, high) => Math.min(high, Math.max(low, value));
const shapeOf = (ratio) => within(ratio || 1, NARROWEST, WIDEST);

// Where rows begin: each ends where its height comes nearest to the wanted one.
function breakRows(shapes, width, wanted, gap) {
  const rows = [];
  let first = 0;
  let sum = 0;
  const heightOf = (total, count) => (width - gap * (count - 1)) / total;
  shapes.forEach((shape, place) => {
    sum += shape;
    const count = place - first + 1;
    const height = heightOf(sum, count);
    if (height > wanted) return;
    const without = count > 1 ? heightOf(sum - shape, count - 1) : Infinity;
    const isBetterWithout = without / wanted < wanted / height;
    const end = isBetterWithout ? place : place + 1;
    rows.push({ first, end, height: isBetterWithout ? without : height });
    sum = isBetterWithout ? shape : 0;
    first = end;
    if (isBetterWithout && heightOf(shape, 1) <= wanted) {
      rows.push({ first, end: place + 1, height: heightOf(shape, 1) });
      [first, sum] = [place + 1, 0];
    }
  });
  // What is left over is not stretched.
  if (first < shapes.length) rows.push({ first, end: shapes.length, height: Math.min(wanted, heightOf(sum, shapes.length - first)) });
  return rows;
}

// The boxes of all pictures, in pixels, and of their rows. `bandOf` tells how much room a row needs below its pictures,
// and `least` how much captions need beside a narrow one.
function justify(ratios, { width, wanted, gap, bandOf, least = 0 }) {
  const shapes = ratios.map((ratio) => Math.max(shapeOf(ratio), least / wanted));
  const boxes = [];
  let top = 0;
  const rows = breakRows(shapes, width, wanted, gap).map((row) => {
    let left = 0;
    for (let place = row.first; place < row.end; place += 1) {
      const cell = shapes[place] * row.height;
      boxes.push({ left: Math.round(left), width: cell, frame: Math.min(cell, shapeOf(ratios[place]) * row.height) });
      left += cell + gap;
    }
    const band = bandOf(row);
    const placed = { ...row, top, band };
    top += Math.ceil(row.height) + band + gap;
    return placed;
  });
  return { boxes, rows, height: Math.max(0, top - gap) };
}

// A query and its results in one row, where that is not too low; else rows of small pictures.
function smallHeight(ratios, width, gap) {
  const height = (width - gap * (ratios.length - 1)) / ratios.reduce((sum, ratio) => sum + shapeOf(ratio), 0);
  return height >= 58 ? Math.min(height, 110) : 80;
}

// The number of the last row of which something is so: of those before it, it is, and of those after it, it is not.
function lastRow(rows, isSo) {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isSo(rows[middle])) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

const rowAt = (rows, y) => lastRow(rows, (row) => row.top <= y);
const rowOf = (rows, place) => rows[lastRow(rows, (row) => row.first <= place)];

// The picture above or below another one, that is nearest to it.
function neighbour({ rows, boxes }, place, step) {
  const row = rows[lastRow(rows, (one) => one.first <= place) + step];
  if (!row) return place;
  const middle = (box) => box.left + box.width / 2;
  let best = row.first;
  for (let other = row.first; other < row.end; other += 1) {
    const distance = (one) => Math.abs(middle(boxes[one]) - middle(boxes[place]));
    if (distance(other) < distance(best)) best = other;
  }
  return best;
}
