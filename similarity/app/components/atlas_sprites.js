// Thousands of small pictures, each a part of a sheet: drawn by WebGL, or by the canvas where that is missing.

const [DIMMED, PLAIN, CHOSEN] = [0, 1, 2];
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const DIM_OPACITY = 0.14;
const edgeOf = (size) => between(0.06 * size, 1, 4);

const VERTEX = `#version 300 es
in vec2 corner; in vec2 point; in vec4 cell; in float state;
uniform vec2 scale, offset, screen, sheetSize; uniform float size;
out vec2 at; out vec2 local; flat out vec2 extent; flat out float kind;
void main() {
  extent = max(vec2(1.0), cell.zw / max(cell.z, cell.w) * size);
  vec2 place = point * scale + offset + (corner - 0.5) * extent;
  gl_Position = vec4(place / screen * vec2(2.0, -2.0) + vec2(-1.0, 1.0), 0.0, 1.0);
  at = (cell.xy + 0.5 + corner * (cell.zw - 1.0)) / sheetSize;
  local = corner * extent;
  kind = state;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 at; in vec2 local; flat in vec2 extent; flat in float kind;
uniform sampler2D sheet; uniform vec3 accent; uniform float dimmed, edge;
out vec4 colour;
void main() {
  vec2 inside = min(local, extent - local);
  bool isEdge = kind > 1.5 && min(inside.x, inside.y) < edge;
  vec4 seen = isEdge ? vec4(accent, 1.0) : vec4(texture(sheet, at).rgb, 1.0);
  colour = kind < 0.5 ? vec4(seen.rgb * dimmed, dimmed) : seen;
}`;

function compile(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}

// A texture, of one grey pixel until there is a picture for it.
function makeTexture(gl) {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([133, 139, 136, 255]));
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  return { texture, width: 1, height: 1 };
}

// Whether WebGL is there and drawn by a graphics processor: without one, the canvas is much faster.
function hasFastGl() {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  const facts = gl?.getExtension("WEBGL_debug_renderer_info");
  const renderer = facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(gl) && !SOFTWARE.test(renderer);
}

class GlSprites {
  constructor(canvas) {
    this.gl = canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: true });
    if (!this.gl) throw new Error("There is no WebGL here.");
    this.canvas = canvas;
    const gl = this.gl;
    this.program = compile(gl);
    const names = ["scale", "offset", "screen", "sheetSize", "size", "accent", "dimmed", "edge"];
    this.uniforms = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.places = Object.fromEntries(
      ["corner", "point", "cell", "state"].map((name) => [name, gl.getAttribLocation(this.program, name)]));
    this.corners = this.buffer(new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]));
    this.sharp = makeTexture(gl);
    this.sharpCount = 0;
    this.sharpBuffers = { points: gl.createBuffer(), cells: gl.createBuffer(), states: gl.createBuffer() };
  }

  buffer(values) {
    const made = this.gl.createBuffer();
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, made);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.STATIC_DRAW);
    return made;
  }

  setMap(map) {
    for (const { texture } of this.sheets ?? []) this.gl.deleteTexture(texture);
    for (const made of Object.values(this.buffers ?? {})) this.gl.deleteBuffer(made);
    this.map = map;
    this.sheets = map.sheets.map(() => makeTexture(this.gl));
    this.buffers = { points: this.buffer(map.points), cells: this.buffer(map.cells), states: this.gl.createBuffer() };
    this.sharpCount = 0;
  }

  setSheet(number, image) {
    const [gl, sheet] = [this.gl, this.sheets[number]];
    gl.bindTexture(gl.TEXTURE_2D, sheet.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image);
    [sheet.width, sheet.height] = [image.width, image.height];
    // Cells are 64 pixels: no level mixes neighbours.
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, 3);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  }

  setStates(states) {
    this.states = states;
    this.upload(this.buffers.states, states);
  }

  upload(buffer, values) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.DYNAMIC_DRAW);
  }

  // Sharp pictures, over those of the sheets; `page` is a canvas that has changed, if it has.
  setSharp(shown, page) {
    const gl = this.gl;
    if (page) {
      gl.bindTexture(gl.TEXTURE_2D, this.sharp.texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, page);
      [this.sharp.width, this.sharp.height] = [page.width, page.height];
    }
    this.sharpCount = shown.length;
    const points = shown.flatMap(({ index }) => [this.map.points[2 * index], this.map.points[2 * index + 1]]);
    this.upload(this.sharpBuffers.points, new Uint16Array(points));
    this.upload(this.sharpBuffers.cells, new Uint16Array(shown.flatMap(({ cell }) => cell)));
    this.upload(this.sharpBuffers.states, new Uint8Array(shown.map(({ index }) => this.states[index])));
  }

  draw(camera, accent) {
    const [gl, uniforms] = [this.gl, this.uniforms];
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.map) return;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.useProgram(this.program);
    gl.uniform2fv(uniforms.scale, camera.scale);
    gl.uniform2fv(uniforms.offset, camera.offset);
    gl.uniform2f(uniforms.screen, camera.width, camera.height);
    gl.uniform1f(uniforms.size, camera.size);
    gl.uniform3fv(uniforms.accent, accent);
    gl.uniform1f(uniforms.dimmed, DIM_OPACITY);
    gl.uniform1f(uniforms.edge, edgeOf(camera.size));
    this.sheets.forEach((sheet, number) => {
      const first = number * this.map.onSheet;
      this.drawPart(sheet, this.buffers, first, Math.min(this.map.onSheet, this.map.count - first));
    });
    if (this.sharpCount) this.drawPart(this.sharp, this.sharpBuffers, 0, this.sharpCount);
  }

  drawPart(sheet, { points, cells, states }, first, count) {
    const gl = this.gl;
    gl.bindTexture(gl.TEXTURE_2D, sheet.texture);
    gl.uniform2f(this.uniforms.sheetSize, sheet.width, sheet.height);
    this.attribute("corner", this.corners, 2, gl.FLOAT, false, 0, 0);
    this.attribute("point", points, 2, gl.UNSIGNED_SHORT, true, 4 * first, 1);
    this.attribute("cell", cells, 4, gl.UNSIGNED_SHORT, false, 8 * first, 1);
    this.attribute("state", states, 1, gl.UNSIGNED_BYTE, false, first, 1);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
  }

  attribute(name, buffer, size, type, isNormal, start, divisor) {
    const [gl, place] = [this.gl, this.places[name]];
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, isNormal, 0, start);
    gl.vertexAttribDivisor(place, divisor);
  }

  release() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
