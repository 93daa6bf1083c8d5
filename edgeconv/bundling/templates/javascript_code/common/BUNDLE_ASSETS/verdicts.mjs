/** Does the model give the answers that are known? */
import { BundleError, labels, outputs } from "./contract.mjs";
import { prepared } from "./inputs.mjs";
import { numbersOf } from "./numbers.mjs";

/** Say what the rows of all samples amount to. */
export function judge(rows, limits) {
  const first = prepared ? [[prepared, limits[prepared].largest]] : [];
  const others = outputs.map((name) => [name, limits[name].largest]);
  const judged = [...first, ...others]
    .map(([name, limit]) => judgeOutput(rows, name, limit))
    .filter((judgement) => judgement !== null);
  const failures = judged.flatMap(({ failure }) => failure ?? []);
  const passed = failures.length === 0;
  const within = judged.map((judgement) => judgement.within).join(", ");
  const verdict = passed
    ? [`PASS: ${rows.length} samples; ${within}`]
    : failures;
  return { passed, verdict };
}

/**
 * Run the model on one sample; return the arrays that came out, and how far they were off.
 *
 * Preparation and inference are told apart: inference by a run in which the net
 * was fed the very image that the reference was fed.
 */
export async function trySample(model, sample, number, limits) {
  const first = await model.run(sample.inputs);
  let errors = differences(first, sample.outputs, limits);
  if (prepared && errors[prepared] !== 0) {
    // A prepared image is left as it is: this feeds the net past its preparation.
    const { type, dims, data } = sample.outputs[prepared];
    const picture = { type, data, dims: dims.slice(1) };
    const again = await model.run({ picture });
    const fed = differences(again, sample.outputs, limits);
    const reached = fed[prepared] === 0;
    const answers = outputs.map((name) => [name, reached ? fed[name] : null]);
    errors = { ...errors, ...Object.fromEntries(answers) };
  }
  const answers = outputs.map((name) => [name, numbersOf(first[name])]);
  const row = { sample: number, label: sample.label, errors };
  return {
    row: { ...row, outputs: Object.fromEntries(answers) },
    arrays: first,
  };
}

/**
 * The largest difference of each output, without what is spared of it; what is
 * no number differs infinitely, and is not spared.
 */
function differences(received, wanted, limits) {
  const pairs = Object.entries(wanted).map(([name, expected]) => {
    const found = received[name];
    if (
      found.type !== expected.type ||
      String(found.dims) !== String(expected.dims)
    ) {
      throw new BundleError("the model is not the one that this was made for");
    }
    const { spared, cell } = limits[name];
    const others = numbersOf(expected);
    const cells = new Float64Array(others.length / cell);
    for (const [place, value] of numbersOf(found).entries()) {
      const distance =
        value === others[place] ? 0 : Math.abs(value - others[place]);
      const error = Number.isNaN(distance) ? Infinity : distance;
      const own = Math.floor(place / cell);
      cells[own] = Math.max(cells[own], error);
    }
    cells.sort();
    const judged = cells.length - Math.floor(spared * cells.length);
    const worst = cells.at(-1) === Infinity ? Infinity : cells[judged - 1];
    return [name, worst ?? 0];
  });
  return Object.fromEntries(pairs);
}

function judgeOutput(rows, name, limit) {
  const reached = rows.filter(({ errors }) => errors[name] !== null);
  if (reached.length === 0) return null;
  const worst = reached.reduce((most, row) =>
    row.errors[name] > most.errors[name] ? row : most,
  );
  const error = worst.errors[name];
  const isPreparation = name === prepared;
  const unit = isPreparation ? " grey levels" : "";
  const what = isPreparation ? "preparation" : name;
  const step = isPreparation ? "preparation" : "inference";
  const where = isPreparation ? unit : ` in ${name}`;
  const within = `${what} within ${short(error)} of ${short(limit)}${unit}`;
  if (error <= limit) return { within };
  const failure =
    `FAIL: ${step} is off: ${nameOf(worst)} differs by ${short(error)}` +
    `${where}, allowed are ${short(limit)}`;
  return { within, failure };
}

function nameOf({ sample, label }) {
  const known = labels[label] !== undefined;
  return `sample ${sample}${known ? ` (${JSON.stringify(labels[label])})` : ""}`;
}

function short(value) {
  return Number(value.toPrecision(3));
}
