/** Shows which of several things are in a picture, and the probability of each. */

import { labels } from "./contract.mjs";
import { percent } from "./rows.js";

export const title = "Probabilities";

/** Return the answer as it is read out. */
export function wordsOf({ tags, threshold }) {
  const count = `${tags.length} of ${labels.length}`;
  return {
    label: tags.join(", ") || "None of them",
    words: `${count} reach ${percent(threshold)}`,
  };
}

/** Return a row a thing, those above the threshold marked; of no answer, empty ones. */
export function rowsOf(answer) {
  return labels.map((name, index) => {
    const share = answer?.scores[index].probability ?? 0;
    const marked = answer !== null && share >= answer.threshold;
    return {
      name: marked ? `✓ ${name}` : name,
      share,
      text: percent(share),
      marked,
    };
  });
}
