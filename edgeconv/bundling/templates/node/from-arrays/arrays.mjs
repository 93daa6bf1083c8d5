/** Reads files of arrays. */
import { readFile } from "node:fs/promises";
import { InputError } from "./contract.mjs";
import { parseArray } from "./npy.mjs";

/** Read an array as numpy.save writes it. */
export async function readArray(file) {
  let bytes;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const words = `${file}: cannot be read: ${error.message}`;
    throw new InputError(words, { cause: error });
  }
  return parseArray(bytes, file);
}
