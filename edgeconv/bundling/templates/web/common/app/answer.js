/** Shows an answer: the likeliest class large, bars of probabilities, and what the net saw. */

import { channels, height, labels, width } from "./contract.js";

/** So many classes keep their places; of more, the likeliest few are shown. */
const ALL = 10;
const FEW = 5;

const element = (id) => document.getElementById(id);

/**
 * Shows that there is no answer yet.
 *
 * @param {string} words why
 */
export function showNothing(words) {
  document.body.classList.add("waiting");
  element("label").textContent = "";
  element("label").className = "";
  element("sure").textContent = words;
  showBars(labels.length > ALL ? [] : labels.map(() => 0));
  element("prepared").width = width;
  element("prepared").height = height;
}

/**
 * @param {import("./model.js").Answer} answer
 * @param {string} note what else there is to say
 */
export function showAnswer(answer, note) {
  const { index, label, probabilities, prepared, milliseconds } = answer;
  const found = index >= 0;
  document.body.classList.remove("waiting");
  element("label").textContent = found ? label : "Nothing found";
  element("label").className = found && [...label].length <= 3 ? "" : "words";
  element("sure").textContent = found
    ? `${percent(probabilities[index])} sure`
    : "Try it larger, darker or closer.";
  showBars(probabilities, index);
  showPrepared(prepared, element("prepared"));
  element("milliseconds").textContent = `${Math.ceil(milliseconds)}\u00a0ms`;
  element("note").textContent = note;
}

/**
 * Draws what the net was fed.
 *
 * @param {Uint8Array} prepared
 * @param {HTMLCanvasElement} canvas
 */
export function showPrepared(prepared, canvas) {
  const image = new ImageData(width, height);
  const { data } = image;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const first = pixel * channels;
    const last = first + channels - 1;
    data[4 * pixel] = prepared[first];
    data[4 * pixel + 1] = prepared[Math.min(first + 1, last)];
    data[4 * pixel + 2] = prepared[last];
    data[4 * pixel + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function showBars(probabilities, best = -1) {
  const indices = chosen(probabilities);
  const bars = element("bars");
  // Bars are kept, so that they glide to their new length.
  while (bars.children.length > indices.length) bars.lastChild.remove();
  while (bars.children.length < indices.length) bars.append(newBar());
  indices.forEach((index, place) => {
    const bar = bars.children[place];
    const [name, track, share] = bar.children;
    bar.className = index === best ? "best" : "";
    name.textContent = labels[index];
    name.title = labels[index];
    track.firstChild.style.setProperty("--share", probabilities[index]);
    share.textContent = percent(probabilities[index]);
  });
}

function chosen(probabilities) {
  const indices = [...probabilities.keys()];
  if (indices.length <= ALL) return indices;
  return indices
    .sort((one, other) => probabilities[other] - probabilities[one])
    .slice(0, FEW);
}

function newBar() {
  const bar = document.createElement("li");
  for (const part of ["name", "track", "share"]) {
    const span = document.createElement("span");
    span.className = part;
    bar.append(span);
  }
  bar.children[1].append(document.createElement("span"));
  return bar;
}

function percent(share) {
  return `${(share * 100).toFixed(1)}\u00a0%`;
}
