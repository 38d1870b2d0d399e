// Source and decode of one map: a slider between them, zoom, a read-out of texels, their difference at a gain, and the
// map beside itself. Everything is drawn on a canvas from the two pictures.
const MODES = [["slider", "Slider"], ["difference", "Difference"], ["tiled", "Tiled 2 × 2"]];
const HANDLE = 16; // radius of what the border is drawn by, in pixels
const AROUND = 270; // pixels of a window's height that the tabs, the tools and the words around the picture take
const LEAST_HEIGHT = 260; // of the picture, in pixels

export function inspector(element, value) {
  const root = element.querySelector(".st-inspect");
  const state = { mode: "slider", split: 0.5, zoom: 1, x: 0, y: 0, gain: 8, map: 0, pictures: null, source: null,
    isWhole: true }; // isWhole: nobody has zoomed or moved
  let drag = null;
  root.innerHTML = `
    <div class="st-tools">
      <label>Map <select class="st-which"></select></label>
      <span class="st-modes st-choice" role="group" aria-label="What is shown"></span>
      <label class="st-gain">Difference × <input type="range" min="0" max="6" step="0.5" value="3"
        aria-label="Gain of the difference"><output>8</output></label>
      <span class="st-modes"><button type="button" class="st-fit">Whole map</button>
      <button type="button" class="st-in" aria-label="Zoom in">+</button>
      <button type="button" class="st-out" aria-label="Zoom out">−</button></span>
    </div>
    <canvas class="st-canvas" tabindex="0" role="img"></canvas>
    <label class="st-split"><span class="st-left"></span> <input type="range" min="0" max="100" value="50"
      aria-label="Border between the two pictures"> <span class="st-right"></span></label>
    <div class="st-read" aria-live="polite"></div>`;
  const at = (name) => root.querySelector(name);
  const canvas = at("canvas"), pen = canvas.getContext("2d"), which = at(".st-which"), split = at(".st-split input");
  let data = { maps: [] };
  const names = () => data.maps[state.map].names;
  const sizeOf = (pictures) => pictures && `${pictures.decoded.sheet.width} × ${pictures.decoded.sheet.height}`;

  for (const [mode, label] of MODES) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.dataset.mode = mode;
    button.addEventListener("click", () => { state.mode = mode; if (state.pictures) begin(); });
    at(".st-choice").append(button);
  }
  which.addEventListener("change", () => load(Number(which.value)));
  split.addEventListener("input", () => { state.split = split.value / 100; draw(); });
  at(".st-gain input").addEventListener("input", (event) => {
    state.gain = 2 ** event.target.value;
    at(".st-gain output").textContent = state.gain.toFixed(state.gain < 10 ? 1 : 0).replace(".0", "");
    if (state.pictures) { state.pictures.difference = null; draw(); }
  });
  at(".st-fit").addEventListener("click", () => { whole(); draw(); });
  at(".st-in").addEventListener("click", () => zoomAt(canvas.width / 2, canvas.height / 2, 1.5));
  at(".st-out").addEventListener("click", () => zoomAt(canvas.width / 2, canvas.height / 2, 1 / 1.5));

  function pixelsOf(image) {
    const sheet = document.createElement("canvas");
    sheet.width = image.naturalWidth;
    sheet.height = image.naturalHeight;
    const context = sheet.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return { sheet, texels: context.getImageData(0, 0, sheet.width, sheet.height) };
  }
  function picture(address) {
    return new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(pixelsOf(image));
      image.onerror = reject;
      image.src = address;
    });
  }
  async function load(index) {
    state.map = index;
    const map = data.maps[index];
    if (!map) return;
    try {
      const decoded = await picture(map.decoded);
      const source = map.source ? await picture(map.source) : null;
      if (state.map !== index) return;
      const before = sizeOf(state.pictures);
      state.pictures = { decoded, source, difference: null };
      if (sizeOf(state.pictures) !== before) state.isWhole = true; // another place in it would be no place
    } catch { at(".st-read").textContent = "The pictures are gone; reload the page."; return; }
    if (!state.pictures.source && state.mode !== "tiled") state.mode = "slider";
    at(".st-left").textContent = map.names[0];
    at(".st-right").textContent = map.names[1];
    begin();
  }
  function begin() { // where the last map and view were looked at, and with what can be done
    if (state.isWhole) whole();
    draw();
    at(".st-read").textContent = hint();
  }
  function hint() {
    const rest = "Point at the picture to read a texel. Wheel or + and − zoom, dragging";
    if (state.mode === "difference") return `Black is equal; drag “Difference ×” for less or more of it. ${rest} moves.`;
    if (state.mode === "tiled") return `A seam shows where the material does not repeat. ${rest} moves.`;
    return state.pictures.source ? `Drag the yellow handle to compare. ${rest} beside the handle moves.` : `${rest} moves.`;
  }
  function resize() {
    const { sheet } = state.pictures.decoded;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth));
    const tall = canvas.width * Math.max(0.3, Math.min(1, sheet.height / sheet.width));
    canvas.height = Math.round(Math.min(tall, Math.max(LEAST_HEIGHT, innerHeight - AROUND)));
  }
  function whole() {
    const { sheet } = state.pictures.decoded;
    resize();
    state.isWhole = true;
    const count = state.mode === "tiled" ? 2 : 1;
    state.zoom = Math.min(canvas.width / (sheet.width * count), canvas.height / (sheet.height * count));
    state.x = (canvas.width - sheet.width * count * state.zoom) / 2;
    state.y = (canvas.height - sheet.height * count * state.zoom) / 2;
  }
  function zoomAt(x, y, factor) {
    const zoom = Math.max(0.05, Math.min(64, state.zoom * factor));
    state.x = x - (x - state.x) * zoom / state.zoom;
    state.y = y - (y - state.y) * zoom / state.zoom;
    state.zoom = zoom;
    state.isWhole = false;
    draw();
  }
  function difference() {
    const { source, decoded } = state.pictures, { width, height } = decoded.sheet;
    const sheet = document.createElement("canvas");
    sheet.width = width;
    sheet.height = height;
    const context = sheet.getContext("2d"), out = context.createImageData(width, height);
    const a = source.texels.data, b = decoded.texels.data;
    for (let i = 0; i < a.length; i += 4) {
      for (let k = 0; k < 3; k += 1) out.data[i + k] = Math.min(255, Math.abs(a[i + k] - b[i + k]) * state.gain);
      out.data[i + 3] = 255;
    }
    context.putImageData(out, 0, 0);
    return sheet;
  }
  function draw() {
    if (!state.pictures) return;
    const { decoded, source } = state.pictures, { width, height } = decoded.sheet;
    for (const button of root.querySelectorAll("[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
      button.disabled = button.dataset.mode === "difference" && !source;
    }
    at(".st-gain").hidden = state.mode !== "difference";
    at(".st-split").hidden = state.mode !== "slider" || !source;
    pen.imageSmoothingEnabled = state.zoom < 1;
    pen.imageSmoothingQuality = "high";
    pen.fillStyle = "#1b1c1f";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const put = (sheet, x = 0, y = 0) => pen.drawImage(sheet, state.x + x * width * state.zoom,
      state.y + y * height * state.zoom, width * state.zoom, height * state.zoom);
    if (state.mode === "tiled") {
      for (const [x, y] of [[0, 0], [1, 0], [0, 1], [1, 1]]) put(decoded.sheet, x, y);
      note(`${names()[1]}, 2 × 2`);
    } else if (state.mode === "difference" && source) {
      state.pictures.difference ||= difference();
      put(state.pictures.difference);
      note(`Difference of the two × ${state.gain.toFixed(1).replace(".0", "")}`);
    } else if (!source) {
      put(decoded.sheet);
      note(names()[1]);
    } else {
      put(decoded.sheet);
      const border = state.split * canvas.width;
      pen.save();
      pen.beginPath();
      pen.rect(0, 0, border, canvas.height);
      pen.clip();
      pen.fillRect(0, 0, canvas.width, canvas.height);
      put(source.sheet);
      pen.restore();
      pen.fillStyle = "#ffb020";
      pen.fillRect(border - 1, 0, 2, canvas.height);
      handle(border, canvas.height / 2);
      note(names()[0], "left");
      note(names()[1], "right");
    }
    canvas.setAttribute("aria-label", `${data.maps[state.map].label}, ${state.mode}`);
    root.dataset.mode = state.mode;
    root.dataset.split = state.split.toFixed(2);
  }
  function handle(x, y) {
    pen.beginPath();
    pen.arc(x, y, HANDLE, 0, 2 * Math.PI);
    pen.fill();
    pen.fillStyle = "#1b1c1f";
    for (const way of [-1, 1]) {
      pen.beginPath();
      for (const [along, up] of [[10, 0], [4, -5], [4, 5]]) pen.lineTo(x + way * along, y + up);
      pen.fill();
    }
  }
  const onBorder = (event) => {
    const box = canvas.getBoundingClientRect(), reach = state.pictures && state.pictures.source ? HANDLE : -1;
    return state.mode === "slider" && Math.abs(event.clientX - box.left - state.split * box.width) < reach;
  };
  function note(words, side = "left") {
    pen.font = "13px system-ui, sans-serif";
    const room = pen.measureText(words).width + 12, x = side === "left" ? 6 : canvas.width - room - 6;
    pen.fillStyle = "rgba(0,0,0,.66)";
    pen.fillRect(x, 6, room, 22);
    pen.fillStyle = "#fff";
    pen.fillText(words, x + 6, 21);
  }
  function read(event) {
    if (!state.pictures) return;
    const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
    const { width, height } = state.pictures.decoded.sheet;
    const x = Math.floor(((event.clientX - box.left) * scale - state.x) / state.zoom);
    const y = Math.floor(((event.clientY - box.top) * scale - state.y) / state.zoom);
    const count = state.mode === "tiled" ? 2 : 1;
    if (x < 0 || y < 0 || x >= width * count || y >= height * count) return;
    const place = 4 * ((y % height) * width + (x % width));
    const colour = ({ texels }) => [...texels.data.slice(place, place + 3)].join(", ");
    const { source, decoded } = state.pictures;
    at(".st-read").textContent = `Texel ${x % width}, ${y % height} (red, green, blue of 255): `
      + (source ? `${names()[0]} ${colour(source)} · ` : "") + `${names()[1]} ${colour(decoded)}`;
  }
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
    zoomAt((event.clientX - box.left) * scale, (event.clientY - box.top) * scale, event.deltaY < 0 ? 1.2 : 1 / 1.2);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, y: event.clientY, onBorder: onBorder(event) };
  });
  canvas.addEventListener("pointermove", (event) => {
    read(event);
    if (!drag) {
      canvas.style.cursor = onBorder(event) ? "ew-resize" : "grab";
      return;
    }
    const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
    if (drag.onBorder) {
      state.split = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
      split.value = 100 * state.split;
    } else {
      state.x += (event.clientX - drag.x) * scale;
      state.y += (event.clientY - drag.y) * scale;
      [drag.x, drag.y, state.isWhole] = [event.clientX, event.clientY, false];
    }
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { drag = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (step) { state.split = Math.max(0, Math.min(1, state.split + step)); split.value = 100 * state.split; }
    else if (event.key === "+") return zoomAt(canvas.width / 2, canvas.height / 2, 1.2);
    else if (event.key === "-") return zoomAt(canvas.width / 2, canvas.height / 2, 1 / 1.2);
    else return undefined;
    event.preventDefault();
    return draw();
  });
  new ResizeObserver(() => {
    if (!state.pictures || !canvas.clientWidth || Math.abs(canvas.clientWidth - canvas.width) <= 1) return;
    if (state.isWhole) whole();
    else {
      const { width, height } = canvas;
      resize();
      state.x += (canvas.width - width) / 2; // what was in the middle stays there
      state.y += (canvas.height - height) / 2;
    }
    draw();
  }).observe(canvas);

  function show(next) {
    const last = data.maps[state.map]?.label;
    data = next && next.maps ? next : { maps: [] };
    element.querySelector(".st-why").textContent = data.why || "";
    root.hidden = !data.maps.length;
    which.replaceChildren(...data.maps.map((map, index) => new Option(map.label, String(index))));
    const same = data.maps.findIndex((map) => map.label === last); // of another result, the map that was looked at
    if (data.maps.length) load(same < 0 ? data.first || 0 : same).then(() => { which.value = String(state.map); });
  }
  show(value);
  return show;
}
