/** What the model's output means: the likeliest class. */
import {
  BundleError,
  InputError,
  finite,
  labels,
  outputs,
} from "./contract.mjs";

/** Return the likeliest class, and how likely each is. */
export function answerOf(arrays) {
  const probabilities = finite(arrays[outputs[0]].data);
  if (probabilities.length !== labels.length) {
    throw new BundleError("the model is not the one of these labels");
  }
  const probability = Math.max(...probabilities);
  if (!(probability > 0)) {
    throw new InputError("no class has a probability");
  }
  const index = probabilities.indexOf(probability);
  return { label: labels[index], index, probability, probabilities };
}

/** Return an answer as a row of JSON: the likeliest class, and the runners-up. */
export function rowOf({ probabilities }) {
  const top = [...probabilities]
    .map((probability, index) => ({ label: labels[index], index, probability }))
    .sort((one, other) => other.probability - one.probability)
    .slice(0, 3);
  return { ...top[0], top };
}
