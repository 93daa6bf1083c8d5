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

async function answer(model, path, number) {
  const found = await model.predict(await readPicture(path));
  const row = { path, ...rowOf(found) };
  if (fileOf) {
    row.file = `${number}-${parse(path).name}${ending}`;
    await writeFile(row.file, fileOf(found));
  }
  return row;
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
      console.log(JSON.stringify(await answer(model, path, place + 1)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      console.error(`Error: ${path}: ${error.message}`);
      process.exitCode = 1;
    }
  }
  await model.release();
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  console.error(`Error: ${error.message}`);
  process.exitCode = 1;
}
