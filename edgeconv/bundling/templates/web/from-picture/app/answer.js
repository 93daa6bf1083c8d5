/** Shows an answer: in words, in rows, and what the net saw. */

import { preparedShape } from "./inputs.mjs";
import { caption, drawOver, isLarge } from "./overlay.js";
import { showPrepared } from "./prepared.js";
import { showRows } from "./rows.js";
import { rowsOf, title, wordsOf } from "./view.js";

const NOTHING = {
  label: "Nothing found",
  words: "Try it larger, darker or closer.",
};

const element = (id) => document.getElementById(id);

/**
 * Shows that there is no answer yet.
 *
 * @param {string} words why
 */
export function showNothing(words) {
  document.body.classList.add("waiting");
  say({ label: "", words });
  showRows(title, rowsOf(null));
  const canvas = element("prepared");
  canvas.setAttribute("aria-label", caption);
  canvas.classList.toggle("large", isLarge);
  [canvas.height, canvas.width] = preparedShape;
}

/**
 * @param {import("./model.js").Prediction} prediction
 * @param {string} note what else there is to say
 */
export function showAnswer({ answer, prepared, milliseconds, where }, note) {
  document.body.classList.remove("waiting");
  say(answer ? wordsOf(answer) : NOTHING);
  showRows(title, rowsOf(answer));
  showPrepared(prepared, element("prepared"));
  if (answer) drawOver(answer, element("prepared"));
  element("milliseconds").textContent =
    `${Math.ceil(milliseconds)}\u00a0ms${where ? ` on ${where}` : ""}`;
  element("note").textContent = note;
}

function say({ label, words }) {
  element("label").textContent = label;
  element("label").className = [...label].length <= 3 ? "" : "words";
  element("sure").textContent = words;
}
