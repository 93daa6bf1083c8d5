/** What the model answers: arrays. */
import { outputs } from "./contract.mjs";
import { describe } from "./numbers.mjs";

/** Return the arrays, without what the net was fed. */
export function answerOf(arrays) {
  return Object.fromEntries(outputs.map((name) => [name, arrays[name]]));
}

/** Return the arrays as a row of JSON. */
export function rowOf(answer) {
  return { outputs: describe(answer, outputs) };
}
