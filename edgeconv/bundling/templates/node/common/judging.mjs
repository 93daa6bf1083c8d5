/** The self-test: does the model give the answers that are known? */
import { fileURLToPath } from "node:url";
import { BundleError } from "./contract.mjs";
import { readRegular } from "./reading.mjs";
import { parseSamples } from "./samples.mjs";
import { judge, trySample } from "./verdicts.mjs";

const samplesFile = fileURLToPath(new URL("BUNDLE_SELFTEST_FILE", import.meta.url));

/** Run the model on the samples of a file. */
export async function selftest(model, file = samplesFile) {
  const { samples, limits } = parseSamples(await read(file), file);
  const rows = [];
  for (const sample of samples) {
    rows.push((await trySample(model, sample, rows.length, limits)).row);
  }
  return { rows, ...judge(rows, limits) };
}

async function read(file) {
  try {
    return await readRegular(file);
  } catch (error) {
    throw new BundleError(`${file}: cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}
