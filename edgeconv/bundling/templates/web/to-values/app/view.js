/** Shows numbers with names. */

import { labels } from "./contract.mjs";

export const title = "Numbers";

/** So many numbers are read out; of more, only how many there are. */
const FEW = 3;

/** Return the answer as it is read out. */
export function wordsOf({ values }) {
  const named = labels.map((label) => `${label} ${short(values[label])}`);
  const words = `${labels.length} ${labels.length === 1 ? "number" : "numbers"}`;
  return { label: labels.length <= FEW ? named.join(", ") : "", words };
}

/** Return a row a number; of no answer, empty ones. */
export function rowsOf(answer) {
  return labels.map((name) => ({
    name,
    text: answer ? short(answer.values[name]) : "",
  }));
}

function short(value) {
  return String(Number(value.toPrecision(5))).replace("-", "\u2212");
}
