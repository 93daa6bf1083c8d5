/** Shows arrays: a table with the first numbers of each, and a download of all. */

import { rowOf } from "./answers.mjs";
import { jsonOf, numbersOf } from "./numbers.mjs";

/** So many numbers of each array are shown. */
const FEW = 6;

const columns = ["Name", "Type", "Shape", "First numbers"];

/**
 * @param {string} title
 * @param {(import("./model.js").NumberArray & { name: string })[]} arrays
 */
export function showRows(title, arrays) {
  const rows = document.getElementById("detail");
  if (!arrays.length) return rows.replaceChildren();
  const table = create("table", "");
  const head = table.createTHead().insertRow();
  head.append(...columns.map((words) => newHead(words, "col")));
  const body = table.createTBody();
  for (const { name, type, dims, data } of arrays) {
    const first = numbersOf({ type, data: data.slice(0, FEW) }).map(short);
    if (data.length > FEW) first.push("…");
    const cells = [type, `(${dims.join(", ")})`, first.join(", ")];
    const line = body.insertRow();
    line.append(
      newHead(name, "row"),
      ...cells.map((text) => create("td", text)),
    );
  }
  table.setAttribute("aria-label", title);
  const button = create("button", "Download JSON");
  button.type = "button";
  button.addEventListener("click", () => {
    const problem = document.getElementById("problem");
    try {
      download(arrays);
      problem.textContent = "";
    } catch (error) {
      problem.textContent = `There is no download: ${error.message}.`;
    }
  });
  const wide = create("div", "");
  wide.className = "wide";
  wide.append(table);
  return rows.replaceChildren(wide, button);
}

function download(arrays) {
  const answer = Object.fromEntries(arrays.map((array) => [array.name, array]));
  const content = new Blob([jsonOf(rowOf(answer))], {
    type: "application/json",
  });
  const link = create("a", "");
  link.href = URL.createObjectURL(content);
  link.download = "outputs.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

function short(value) {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}

function newHead(words, scope) {
  const head = create("th", words);
  head.scope = scope;
  return head;
}

function create(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}
