// Sharp pictures for those that are large on the screen: fetched, and kept on one canvas of a hundred places.

const [PLACE, IN_LINE] = [204, 10];
const MOST_SHARP = IN_LINE ** 2;
const AT_ONCE = 6;

class SharpPictures {
  constructor(addressOf, onChange) {
    [this.addressOf, this.onChange] = [addressOf, onChange];
    this.page = document.createElement("canvas");
    this.page.width = this.page.height = PLACE * IN_LINE;
    this.kept = new Map(); // the picture's index -> its place and cell, least recently wanted first
    this.free = Array.from({ length: MOST_SHARP }, (_, place) => place);
    [this.waiting, this.loading, this.failed] = [[], new Set(), new Set()];
  }

  // Those that are wanted now, the most important first; returns those that are there.
  want(indices) {
    const wanted = indices.slice(0, MOST_SHARP);
    for (const index of wanted) {
      const kept = this.kept.get(index);
      if (!kept) continue;
      this.kept.delete(index);
      this.kept.set(index, kept);
    }
    this.wanted = new Set(wanted);
    this.waiting = wanted.filter(
      (index) => !this.kept.has(index) && !this.loading.has(index) && !this.failed.has(index));
    this.loadNext();
    return this.there();
  }

  there() {
    return [...(this.wanted ?? [])].reverse().filter((index) => this.kept.has(index))
      .map((index) => ({ index, cell: this.kept.get(index).cell }));
  }

  loadNext() {
    while (this.loading.size < AT_ONCE && this.waiting.length) {
      const index = this.waiting.shift();
      const image = new Image();
      this.loading.add(index);
      image.decoding = "async";
      image.onload = () => this.keep(index, image);
      image.onerror = () => this.end(index, true);
      image.src = this.addressOf(index);
    }
  }

  keep(index, image) {
    const place = this.free.pop() ?? this.takeOldest();
    if (place !== undefined) {
      const scale = Math.min(1, PLACE / Math.max(image.naturalWidth, image.naturalHeight));
      const size = [image.naturalWidth, image.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
      const corner = [(place % IN_LINE) * PLACE, Math.floor(place / IN_LINE) * PLACE];
      this.page.getContext("2d").drawImage(image, ...corner, ...size);
      this.kept.set(index, { place, cell: [...corner, ...size] });
    }
    this.end(index, false);
  }

  takeOldest() {
    for (const [index, { place }] of this.kept) {
      if (this.wanted.has(index)) continue;
      this.kept.delete(index);
      return place;
    }
    return undefined;
  }

  end(index, hasFailed) {
    this.loading.delete(index);
    if (hasFailed) this.failed.add(index);
    else this.onChange();
    this.loadNext();
  }
}
