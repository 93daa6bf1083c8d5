/** Whether a GPU gives the answers that are known: drivers compute wrongly without an error. */

import { parseSamples } from "./samples.mjs";
import { judge, trySample } from "./verdicts.mjs";

/** Each picture of another size may make a GPU compile anew, and the page waits. */
const MOST_SAMPLES = 4;
const SAMPLES = new URL("BUNDLE_SELFTEST_FILE", import.meta.url);

/**
 * Throws an error unless a model gives the answers of the first samples of its self-test.
 *
 * @param {{ run(arrays: import("./model.js").Arrays): Promise<import("./model.js").Arrays> }} model
 */
export async function checkAnswers(model) {
  const response = await fetch(SAMPLES);
  if (!response.ok) throw new Error("its samples cannot be downloaded");
  const bytes = new Uint8Array(await response.arrayBuffer());
  const { samples, limits } = parseSamples(bytes, "BUNDLE_SELFTEST_FILE");
  const rows = [];
  for (const sample of samples.slice(0, MOST_SAMPLES))
    rows.push((await trySample(model, sample, rows.length, limits)).row);
  const { passed, verdict } = judge(rows, limits);
  if (!passed) throw new Error(verdict[0].replace(/^FAIL: /, ""));
}
