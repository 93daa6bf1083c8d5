/**
 * Runs the model once, and prints what comes out as JSON.
 *
 *     node predict.mjs ARRAY.npy...
 *
 * There is one file for each of `inputs`, in their order, as numpy.save writes it.
 */
import { readArray } from "./arrays.mjs";
import { BundleError, InputError, inputs, open, rowOf } from "./index.mjs";
import { complain, printRow } from "./printing.mjs";

const paths = process.argv.slice(2);
if (paths.length !== inputs.length) {
  console.error(
    `usage: node predict.mjs ARRAY.npy... (one each: ${inputs.join(", ")})`,
  );
  process.exit(2);
}
try {
  const arrays = {};
  for (const [place, path] of paths.entries()) {
    arrays[inputs[place]] = await readArray(path);
  }
  const model = await open();
  printRow(rowOf(await model.predict(arrays)));
  await model.release();
} catch (error) {
  if (!(error instanceof BundleError || error instanceof InputError)) {
    throw error;
  }
  complain(`Error: ${error.message}`);
  process.exitCode = 1;
}
