/** Shows a yes or a no, and the probability of yes. */

import { labels } from "./contract.mjs";
import { percent } from "./rows.js";

export const title = "Probability";

/** Return the answer as it is read out. */
export function wordsOf({ label, probability, threshold }) {
  const limit = `${labels[1]} from ${percent(threshold)} on`;
  return { label, words: `${percent(probability)} ${labels[1]}; ${limit}` };
}

/** Return the row of yes; of no answer, an empty one. */
export function rowsOf(answer) {
  const share = answer?.probability ?? 0;
  const marked = answer?.answer ?? false;
  return [{ name: labels[1], share, text: percent(share), marked }];
}
