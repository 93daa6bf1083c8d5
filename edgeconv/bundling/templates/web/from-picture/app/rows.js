/**
 * Shows the rows of an answer: names, bars and numbers.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {string} text behind the bar
 * @property {number} [share] length of the bar, 0 to 1; without one there is no bar
 * @property {boolean} [marked] whether it is part of the answer
 * @property {string} [colour] of its bar
 */

/** So many rows keep their places; of more, the largest few are shown, and those that are marked. */
const ALL = 10;
const FEW = 5;
const MOST = 30;

/**
 * @param {string} title
 * @param {Row[]} rows
 */
export function showRows(title, rows) {
  const bars = list(title);
  const shown = chosen(rows);
  // Bars are kept, so that they glide to their new length.
  while (bars.children.length > shown.length) bars.lastChild.remove();
  while (bars.children.length < shown.length) bars.append(newBar());
  shown.forEach(({ name, text, share, marked, colour }, place) => {
    const bar = bars.children[place];
    const [label, track, number] = bar.children;
    bar.className = marked ? "best" : "";
    bar.classList.toggle("plain", share === undefined);
    label.textContent = name;
    label.title = name;
    track.firstChild.style.setProperty("--share", share ?? 0);
    if (colour) track.firstChild.style.setProperty("--colour", colour);
    number.textContent = text;
  });
}

/** Return a share as a number of percent. */
export function percent(share) {
  return `${(share * 100).toFixed(1)}\u00a0%`;
}

function list(title) {
  const made = document.getElementById("bars");
  if (made) return made;
  const bars = document.createElement("ol");
  bars.id = "bars";
  bars.setAttribute("aria-label", title);
  document.getElementById("detail").append(bars);
  return bars;
}

function chosen(rows) {
  if (rows.length <= ALL || rows.every(({ share }) => share === undefined))
    return rows;
  return rows
    .filter(({ share }) => share > 0)
    .sort((one, other) => other.share - one.share)
    .filter(({ marked }, place) => place < FEW || (marked && place < MOST));
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
