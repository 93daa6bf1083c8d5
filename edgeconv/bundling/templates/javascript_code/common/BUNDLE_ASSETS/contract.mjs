/** What BUNDLE_NAME takes and answers. */

/** A self-test of another number is of another model. */
export const fingerprint = BUNDLE_FINGERPRINT;

/** The names of the arrays that go in. */
BUNDLE_INPUTS_JAVASCRIPT

/** The names of those that come out. */
BUNDLE_OUTPUTS_JAVASCRIPT

/** The names of the answers, in the order of the outputs' last axis. */
BUNDLE_LABELS_JAVASCRIPT

/** An input that cannot be answered; the next one may be. */
export class InputError extends Error {
  name = "InputError";
}

/** Return numbers that are answers: NaN and infinity are none. */
export function finite(numbers) {
  if (!numbers.every(Number.isFinite)) {
    throw new InputError("the model answers NaN or infinity");
  }
  return numbers;
}

/** The model or the self-test's samples are absent, damaged, or of another model. */
export class BundleError extends Error {
  name = "BundleError";
}
