/** Arrays, as the model takes them. */
import { InputError, inputs } from "./contract.mjs";

/** What comes out beside the answers: nothing. */
export const prepared = null;

/** Return the arrays that go in. */
export function feed(arrays) {
  const missing = inputs.filter((name) => !(name in arrays));
  if (missing.length) {
    throw new InputError(`an array is required for ${missing.join(", ")}`);
  }
  return arrays;
}

/** Return whether the model finds what it looks for: there is no such thing in arrays. */
export function isFound() {
  return true;
}
