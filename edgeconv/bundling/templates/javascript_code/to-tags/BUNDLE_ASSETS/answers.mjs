/** What the model's output means: which of several things are in a picture. */
import { BundleError, finite, labels, outputs } from "./contract.mjs";

/** Return the things whose probability reaches the threshold, likeliest first. */
export function answerOf(arrays, { threshold = BUNDLE_THRESHOLD } = {}) {
  const data = finite(arrays[outputs[0]].data);
  if (data.length !== labels.length) {
    throw new BundleError("the model is not the one of these labels");
  }
  const scores = Array.from(data, (probability, index) => {
    return { label: labels[index], index, probability };
  });
  const tags = scores
    .filter(({ probability }) => probability >= threshold)
    .sort((one, other) => other.probability - one.probability)
    .map(({ label }) => label);
  return { tags, scores, threshold };
}

/** Return an answer as a row of JSON. */
export function rowOf(answer) {
  return answer;
}
