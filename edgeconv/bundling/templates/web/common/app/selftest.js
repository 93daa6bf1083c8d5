/**
 * The self-test: runs samples through the model, and judges preparation and inference apart.
 *
 * `readSamples` reads the file of samples, `runSample` runs one of them, and `judge` says what they amount to.
 * An app can do the same when it starts.
 *
 * @typedef {object} Sample
 * @property {number} label its class, or -1 where that is not known
 * @property {import("./model.js").Picture} picture
 * @property {Uint8Array} prepared what the net should be fed
 * @property {Float32Array} probabilities what the reference answers
 *
 * @typedef {object} Result
 * @property {number} label
 * @property {number} preparedError in grey levels
 * @property {number | null} probabilityError null where the net could not be fed the right picture
 * @property {Float32Array} probabilities
 * @property {Uint8Array} prepared
 */

import { channels, height, labels, width } from "./contract.js";

const MAGIC = "EDGECONV";
const VERSION = 1;

/**
 * Reads what is in `BUNDLE_SELFTEST_FILE`: little-endian numbers, pictures padded to multiples of 4 bytes.
 *
 * @param {ArrayBuffer} buffer
 * @returns {{ samples: Sample[], limits: { prepared: number, probabilities: number } }}
 */
export function readSamples(buffer) {
  const view = new DataView(buffer);
  let offset = 0;
  const take = (size) => {
    if (size > view.byteLength - offset)
      throw new Error("The file of samples is cut short.");
    offset += size;
    return offset - size;
  };
  const uint32 = () => view.getUint32(take(4), true);
  const int32 = () => view.getInt32(take(4), true);
  const float32 = () => view.getFloat32(take(4), true);
  const bytes = (size) =>
    new Uint8Array(buffer, take(Math.ceil(size / 4) * 4), size);

  const magic = buffer.byteLength < 12 ? "" : ascii(bytes(8));
  if (magic !== MAGIC || uint32() !== VERSION)
    throw new Error("This is no file of samples that this page can read.");
  const count = uint32();
  const made = [uint32(), uint32(), uint32(), uint32()];
  const own = [labels.length, height, width, channels];
  if (String(made) !== String(own))
    throw new Error(
      `The samples are of another model: ${made.slice(1).join(" x ")} with ${made[0]} classes.`,
    );
  const limits = { prepared: float32(), probabilities: float32() };
  const samples = [];
  for (let number = 0; number < count; number++) {
    const [rows, columns, depth] = [uint32(), uint32(), uint32()];
    if (!rows || !columns || ![1, 3, 4].includes(depth))
      throw new Error(`Sample ${number} is no picture: the file is damaged.`);
    samples.push({
      label: int32(),
      picture: {
        data: bytes(rows * columns * depth),
        height: rows,
        width: columns,
        channels: depth,
      },
      prepared: bytes(height * width * channels),
      probabilities: Float32Array.from(labels, float32),
    });
  }
  if (!count || offset !== view.byteLength)
    throw new Error("The file of samples is damaged.");
  return { samples, limits };
}

/**
 * Runs one sample.
 *
 * Inference is judged by a run in which the net was fed the right picture. Where the preparation failed, that is
 * a second run on the prepared picture itself, which passes through untouched.
 *
 * @param {{ predict(picture: import("./model.js").Picture): Promise<import("./model.js").Answer> }} model
 * @param {Sample} sample
 * @param {number} limit grey levels by which the prepared picture may differ
 * @returns {Promise<Result>}
 */
export async function runSample(model, sample, limit) {
  const first = await model.predict(sample.picture);
  const preparedError = difference(first.prepared, sample.prepared);
  let fed = first;
  if (preparedError > limit)
    fed = await model.predict({
      data: sample.prepared,
      height,
      width,
      channels,
    });
  const reached = difference(fed.prepared, sample.prepared) <= limit;
  return {
    label: sample.label,
    preparedError,
    probabilityError: reached
      ? difference(fed.probabilities, sample.probabilities)
      : null,
    probabilities: first.probabilities,
    prepared: first.prepared,
  };
}

/**
 * Judges the results.
 *
 * @param {Result[]} results
 * @param {{ prepared: number, probabilities: number }} limits
 * @returns {{ passed: boolean, findings: string[] }}
 */
export function judge(results, limits) {
  const prepared = worst(results, ({ preparedError }) => preparedError);
  const inferred = worst(results, ({ probabilityError }) => probabilityError);
  const findings = [];
  if (prepared.error > limits.prepared)
    findings.push(
      `preparation is off: sample ${named(prepared, results)} differs by ${digits(prepared.error)} grey levels, allowed are ${digits(limits.prepared)}`,
    );
  if (inferred.error > limits.probabilities)
    findings.push(
      `inference is off: sample ${named(inferred, results)} differs by ${digits(inferred.error)}, allowed are ${digits(limits.probabilities)}`,
    );
  if (findings.length)
    return {
      passed: false,
      findings: findings.map((words) => `FAIL: ${words}`),
    };
  const words = `${results.length} samples; preparation within ${digits(prepared.error)} of ${digits(limits.prepared)} grey levels, probabilities within ${digits(inferred.error)} of ${digits(limits.probabilities)}`;
  return { passed: true, findings: [`PASS: ${words}`] };
}

/** The largest of the errors that are known. */
function worst(results, errorOf) {
  let found = { sample: -1, error: 0 };
  results.forEach((result, sample) => {
    const error = errorOf(result) ?? -1;
    if (error > found.error) found = { sample, error };
  });
  return found;
}

function named({ sample }, results) {
  const name = labels[results[sample].label];
  return name === undefined ? sample : `${sample} (${JSON.stringify(name)})`;
}

/** The largest difference; what is no number differs infinitely. */
function difference(values, others) {
  return values.reduce((largest, value, index) => {
    const distance = Math.abs(value - others[index]);
    return Math.max(largest, Number.isNaN(distance) ? Infinity : distance);
  }, 0);
}

function digits(value) {
  return String(Number(value.toPrecision(3)));
}

function ascii(bytes) {
  return String.fromCharCode(...bytes);
}
