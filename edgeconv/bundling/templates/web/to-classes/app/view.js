/** Shows the likeliest class, and how likely each is. */

import { labels } from "./contract.mjs";
import { percent } from "./rows.js";

export const title = "Probabilities";

/** Return the answer as it is read out. */
export function wordsOf({ label, probability }) {
  return { label, words: `${percent(probability)} sure` };
}

/** Return a row a class; of no answer, empty ones. */
export function rowsOf(answer) {
  return labels.map((name, index) => {
    const share = answer?.probabilities[index] ?? 0;
    return {
      name,
      share,
      text: percent(share),
      marked: index === answer?.index,
    };
  });
}
