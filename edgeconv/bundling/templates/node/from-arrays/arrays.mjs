/** Reads files of arrays. */
import { InputError } from "./contract.mjs";
import { parseArray } from "./npy.mjs";
import { readRegular } from "./reading.mjs";

/** Read an array as numpy.save writes it. */
export async function readArray(file) {
  let bytes;
  try {
    bytes = await readRegular(file);
  } catch (error) {
    const words = `${file}: cannot be read: ${error.message}`;
    throw new InputError(words, { cause: error });
  }
  return parseArray(bytes, file);
}
