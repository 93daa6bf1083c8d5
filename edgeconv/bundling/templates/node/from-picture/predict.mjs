/**
 * Prints one JSON row a picture.
 *
 *     node predict.mjs IMAGE...
 */
import { writeFile } from "node:fs/promises";
import { parse } from "node:path";
import { ending, fileOf } from "./files.mjs";
import { BundleError, InputError, open, rowOf } from "./index.mjs";
import { readPicture } from "./pictures.mjs";
import { complain, printRow } from "./printing.mjs";

async function answer(model, path, number) {
  const found = await model.predict(await readPicture(path));
  const row = { path, ...rowOf(found) };
  if (fileOf) {
    row.file = `${number}-${parse(path).name}${ending}`;
    await save(row.file, fileOf(found));
  }
  return row;
}

async function save(file, content) {
  try {
    await writeFile(file, content);
  } catch (error) {
    const words = `${file} cannot be written: ${error.message}`;
    throw new InputError(words, { cause: error });
  }
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error("usage: node predict.mjs IMAGE...");
  process.exit(2);
}
try {
  const model = await open();
  for (const [place, path] of paths.entries()) {
    try {
      printRow(await answer(model, path, place + 1));
    } catch (error) {
      if (!(error instanceof InputError || error instanceof BundleError)) {
        throw error;
      }
      complain(`Error: ${path}: ${error.message}`);
      process.exitCode = 1;
    }
  }
  await model.release();
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  complain(`Error: ${error.message}`);
  process.exitCode = 1;
}
