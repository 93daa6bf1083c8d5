/**
 * Does the model answer here as it should?
 *
 *     node selftest.mjs [FILE] [--rows]
 */
import { parseArgs } from "node:util";
import { BundleError, open } from "./index.mjs";
import { selftest } from "./judging.mjs";
import { complain, printLine } from "./printing.mjs";

try {
  const { values, positionals } = parseArgs({
    options: { rows: { type: "boolean" } },
    allowPositionals: true,
  });
  const model = await open();
  const { passed, rows, verdict } = await selftest(model, positionals[0]);
  await model.release();
  if (values.rows) for (const row of rows) printLine(JSON.stringify(row));
  for (const line of verdict) complain(line);
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  const usage = String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!usage && !(error instanceof BundleError)) throw error;
  complain(`Error: ${error.message}`);
  process.exitCode = usage ? 2 : 1;
}
