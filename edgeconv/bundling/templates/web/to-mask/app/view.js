/** Shows how much of the picture each class covers; overlay.js shows where. */

import { rowOf } from "./answers.mjs";
import { labels } from "./contract.mjs";
import { colourOf } from "./overlay.js";
import { percent } from "./rows.js";

export const title = "Shares of the picture";

/** Return the answer as it is read out. */
export function wordsOf(answer) {
  const shares = Object.entries(rowOf(answer).shares);
  const [label, share] = shares.reduce((most, other) =>
    other[1] > most[1] ? other : most,
  );
  return { label, words: `covers ${percent(share)} of the picture` };
}

/** Return a row a class, in its colour; of no answer, empty ones. */
export function rowsOf(answer) {
  const shares = answer ? rowOf(answer).shares : {};
  return labels.map((name, index) => {
    const share = shares[name] ?? 0;
    return { name, share, text: percent(share), colour: colourOf(index) };
  });
}
