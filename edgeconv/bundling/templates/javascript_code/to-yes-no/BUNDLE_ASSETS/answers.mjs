/** What the model's output means: a yes or a no. */
import { BundleError, finite, labels, outputs } from "./contract.mjs";

/** Return yes where its probability reaches the threshold. */
export function answerOf(arrays, { threshold = BUNDLE_THRESHOLD } = {}) {
  const data = finite(arrays[outputs[0]].data);
  if (data.length !== 1) {
    throw new BundleError("the model is not one that answers yes or no");
  }
  const answer = data[0] >= threshold;
  return { label: labels[+answer], answer, probability: data[0], threshold };
}

/** Return an answer as a row of JSON. */
export function rowOf(answer) {
  return answer;
}
