/** What the model's output means: numbers with names. */
import { BundleError, finite, labels, outputs } from "./contract.mjs";

/** Return the numbers by their names. */
export function answerOf(arrays) {
  const data = finite(arrays[outputs[0]].data);
  if (data.length !== labels.length) {
    throw new BundleError("the model is not the one of these labels");
  }
  const pairs = labels.map((label, index) => [label, data[index]]);
  return { values: Object.fromEntries(pairs) };
}

/** Return an answer as a row of JSON. */
export function rowOf(answer) {
  return answer;
}
