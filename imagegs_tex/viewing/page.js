"use strict";
// Without this script source and decode stand side by side; with it they lie upon each other.
document.documentElement.classList.add("live");

const SCALE = JSON.parse(document.getElementById("scale").textContent); // red, green, blue at equal steps

function scaleTable() {
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    const place = (i / 255) * (SCALE.length - 1);
    const below = Math.min(Math.floor(place), SCALE.length - 2);
    for (let c = 0; c < 3; c += 1) {
      table[3 * i + c] = SCALE[below][c] + (SCALE[below + 1][c] - SCALE[below][c]) * (place - below);
    }
  }
  return table;
}

const TABLE = scaleTable();

function texelsOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function shortNumber(value) {
  return String(Number(value.toPrecision(3)));
}

function start(viewer) {
  const stage = viewer.querySelector(".stage");
  const decode = stage.querySelector(".under");
  const source = stage.querySelector(".over");
  const split = viewer.querySelector(".split");
  const zoom = viewer.querySelector(".zoom");
  const gain = viewer.querySelector(".gain input");
  const canvas = stage.querySelector("canvas");
  const readout = viewer.querySelector(".readout");
  const scale = viewer.querySelector(".scale");
  const slide = viewer.querySelector(".slide");
  const coded = viewer.querySelector(".coded");
  const full = Number(viewer.dataset.full);
  const unit = viewer.dataset.unit;
  let texels = null;
  let errors = null;

  // The error is stored as the root of its share of the whole range, in 255ths.
  function errorAt(index) {
    return (errors.data[index] / 255) ** 2 * full;
  }

  function drawError() {
    errors = errors || texelsOf(coded);
    const factor = 2 ** Number(gain.value);
    const picture = new ImageData(errors.width, errors.height);
    for (let i = 0; i < errors.data.length; i += 4) {
      const entry = 3 * Math.min(255, Math.round(((errors.data[i] / 255) ** 2) * factor * 255));
      picture.data[i] = TABLE[entry];
      picture.data[i + 1] = TABLE[entry + 1];
      picture.data[i + 2] = TABLE[entry + 2];
      picture.data[i + 3] = 255;
    }
    canvas.width = errors.width;
    canvas.height = errors.height;
    canvas.getContext("2d").putImageData(picture, 0, 0);
    viewer.querySelector(".gain output").textContent = `× ${factor}`;
    scale.querySelector(".high").textContent = `${shortNumber(full / factor)}${unit} and more`;
  }

  function show(mode) {
    stage.dataset.mode = mode;
    if (slide) slide.hidden = mode !== "split";
    if (scale) {
      scale.hidden = mode !== "error";
      viewer.querySelector(".gain").hidden = mode !== "error";
      if (mode === "error") drawError();
    }
  }

  function place(percent) {
    const kept = Math.min(100, Math.max(0, percent));
    stage.style.setProperty("--at", `${kept}%`);
    split.value = String(kept);
  }

  function tell(event) {
    const box = stage.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * decode.naturalWidth);
    const y = Math.floor(((event.clientY - box.top) / box.height) * decode.naturalHeight);
    if (x < 0 || y < 0 || x >= decode.naturalWidth || y >= decode.naturalHeight) return;
    texels = texels || { decode: texelsOf(decode), source: source && texelsOf(source) };
    const index = 4 * (y * decode.naturalWidth + x);
    const rgb = (image) => Array.from(image.data.slice(index, index + 3)).join(" ");
    let text = `pixel ${x}, ${y}: `;
    if (source) text += `source ${rgb(texels.source)}, `;
    text += `decode ${rgb(texels.decode)}`;
    if (coded) {
      errors = errors || texelsOf(coded);
      text += `, error about ${shortNumber(errorAt(index))}${unit}`;
    }
    readout.textContent = text;
  }

  zoom.addEventListener("change", () => {
    const fits = zoom.value === "fit";
    stage.style.width = fits ? "" : `${decode.naturalWidth * Number(zoom.value)}px`;
    stage.style.maxWidth = fits ? "" : "none";
  });
  stage.addEventListener("pointermove", (event) => {
    tell(event);
    if (split && stage.dataset.mode === "split" && (event.pointerType === "mouse" || event.buttons)) {
      const box = stage.getBoundingClientRect();
      place((100 * (event.clientX - box.left)) / box.width);
    }
  });
  stage.addEventListener("pointerdown", (event) => {
    tell(event);
    if (!split || stage.dataset.mode !== "split") return;
    const box = stage.getBoundingClientRect();
    place((100 * (event.clientX - box.left)) / box.width);
  });
  if (!split) return;
  split.addEventListener("input", () => place(Number(split.value)));
  for (const radio of viewer.querySelectorAll("input[type=radio]")) {
    radio.addEventListener("change", () => show(radio.value));
  }
  if (gain) gain.addEventListener("input", drawError);
  show("split");
}

for (const viewer of document.querySelectorAll(".viewer")) start(viewer);
