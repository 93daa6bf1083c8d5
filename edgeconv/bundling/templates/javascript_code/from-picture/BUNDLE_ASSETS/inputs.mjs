/** Pictures, as the model takes them. */
import { InputError } from "./contract.mjs";

/** Rows, columns and channels of what the model makes of every picture. */
export const preparedShape = [BUNDLE_HEIGHT, BUNDLE_WIDTH, BUNDLE_CHANNELS];

/** What comes out beside the answers: what the net was fed. */
export const prepared = "prepared";

/** Whether the model looks for a digit, and feeds zeros to the net where there is none. */
const findsDigits = BUNDLE_OF_DIGITS;

/** Return the arrays that go in. */
export function feed({ data, width, height, channels }) {
  if (![1, 3, 4].includes(channels)) {
    throw new InputError(`1, 3 or 4 channels are read, not ${channels}`);
  }
  const bytes =
    data instanceof Uint8ClampedArray
      ? new Uint8Array(data.buffer, data.byteOffset, data.length)
      : data;
  const size = height * width * channels;
  if (!(bytes instanceof Uint8Array) || !(size > 0) || bytes.length !== size) {
    throw new InputError(
      `${height} x ${width} pixels of ${channels} bytes are required, ` +
        `not ${data?.length} of ${data?.constructor.name}`,
    );
  }
  const dims = [height, width, channels];
  return { picture: { type: "uint8", data: bytes, dims } };
}

/** Return whether there is something in the picture that the model looks for. */
export function isFound(outputs) {
  return !findsDigits || outputs[prepared].data.some((level) => level > 0);
}
