/** Reads files that strangers name: none is waited for, and none is read without end. */
import { readFile, stat } from "node:fs/promises";

const mostBytes = 2 ** 29;

/** Read a file of at most 537 MB. */
export async function readRegular(file) {
  await requireRegular(file);
  return readFile(file);
}

/** Refuse a pipe or a device, whose reading may never end. */
export async function requireRegular(file) {
  const found = await stat(file);
  if (!found.isFile() && !found.isDirectory()) {
    throw new Error("a pipe or a device");
  }
  if (found.size > mostBytes) {
    throw new Error(`${Math.round(found.size / 1e6)} MB, more than 537`);
  }
}
