/** The self-test: pictures whose answers are known, and whether the model gives them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { BundleError, labels, preparedShape } from "./index.mjs";

const samplesFile = fileURLToPath(new URL("BUNDLE_SELFTEST_FILE", import.meta.url));

/**
 * Run the model on the samples of a file.
 *
 * Preparation and inference are judged apart: inference by a run in which the net
 * was fed the very image that the reference was fed.
 */
export async function selftest(model, file = samplesFile) {
  const { samples, allowedLevels, allowed } = await readSamples(file);
  const rows = [];
  for (const sample of samples) {
    rows.push(await trySample(model, sample, rows.length, allowedLevels));
  }
  const prepared = worst(rows, "prepared_error");
  const inferred = worst(rows, "probability_error");
  const levels = prepared.prepared_error;
  const difference = inferred?.probability_error ?? 0;
  const failures = [];
  if (!(levels <= allowedLevels)) {
    failures.push(
      `FAIL: preparation is off: ${nameOf(prepared)} differs by ${levels} ` +
        `grey levels, allowed are ${allowedLevels}`,
    );
  }
  if (!(difference <= allowed)) {
    failures.push(
      `FAIL: inference is off: ${nameOf(inferred)} differs by ` +
        `${short(difference)}, allowed are ${short(allowed)}`,
    );
  }
  const passed = failures.length === 0;
  const verdict = passed
    ? [
        `PASS: ${rows.length} samples; preparation within ${levels} of ` +
          `${allowedLevels} grey levels, probabilities within ` +
          `${short(difference)} of ${short(allowed)}`,
      ]
    : failures;
  return { passed, rows, verdict };
}

async function trySample(model, sample, number, allowedLevels) {
  const first = await model.run(sample.picture);
  const preparedError = difference(first.prepared, sample.prepared);
  let fed = first;
  if (!(preparedError <= allowedLevels)) {
    // A prepared image is left as it is: this feeds the net past its preparation.
    const [height, width, channels] = preparedShape;
    const data = sample.prepared;
    fed = await model.run({ data, width, height, channels });
  }
  const reached = difference(fed.prepared, sample.prepared) <= allowedLevels;
  return {
    sample: number,
    label: sample.label,
    prepared_error: preparedError,
    probability_error: reached
      ? difference(fed.probabilities, sample.probabilities)
      : null,
    probabilities: [...first.probabilities],
  };
}

/** The largest difference; what is no number differs infinitely. */
function difference(received, wanted) {
  let largest = 0;
  received.forEach((value, index) => {
    const distance = Math.abs(value - wanted[index]);
    largest = Math.max(largest, isNaN(distance) ? Infinity : distance);
  });
  return largest;
}

function worst(rows, error) {
  const reached = rows.filter((row) => row[error] !== null);
  return reached.sort((one, other) => other[error] - one[error])[0];
}

function nameOf({ sample, label }) {
  const known = label >= 0 ? ` (${JSON.stringify(labels[label])})` : "";
  return `sample ${sample}${known}`;
}

function short(value) {
  return Number(value.toPrecision(3));
}

async function readSamples(file) {
  let bytes;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new BundleError(`${file}: cannot be read: ${error.message}`, {
      cause: error,
    });
  }
  if (bytes.toString("latin1", 0, 8) !== "EDGECONV" || bytes.length < 40) {
    throw new BundleError(`${file}: is no self-test`);
  }
  const reader = new Reader(bytes);
  const [version, count, ...sizes] = reader.integers(6);
  if (version !== 1) {
    throw new BundleError(`${file}: is no self-test of version 1`);
  }
  if (String(sizes) !== String([labels.length, ...preparedShape])) {
    throw new BundleError(`${file}: is the self-test of another model`);
  }
  const [allowedLevels, allowed] = reader.floats(2);
  const samples = [];
  try {
    while (samples.length < count) samples.push(readSample(reader));
    reader.finish();
    if (count === 0) throw new RangeError("no samples");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BundleError(`${file}: is damaged`, { cause: error });
  }
  return { samples, allowedLevels, allowed };
}

function readSample(reader) {
  const [height, width, channels, unsigned] = reader.integers(4);
  const label = unsigned | 0;
  if (label < -1 || label >= labels.length || ![1, 3, 4].includes(channels)) {
    throw new RangeError("no such class, or no such picture");
  }
  const data = reader.pixels(height * width * channels);
  const prepared = reader.pixels(preparedShape.reduce((a, b) => a * b));
  const probabilities = reader.floats(labels.length);
  const picture = { data, width, height, channels };
  return { picture, label, prepared, probabilities };
}

/** Reads little-endian numbers one after the other; a RangeError ends what is cut short. */
class Reader {
  #bytes;
  #view;
  #place = 8;

  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  integers(count) {
    return this.#numbers(count, (place) => this.#view.getUint32(place, true));
  }

  floats(count) {
    return this.#numbers(count, (place) => this.#view.getFloat32(place, true));
  }

  pixels(size) {
    if (size === 0 || this.#place + size > this.#bytes.length) {
      throw new RangeError("fewer pixels than there should be");
    }
    const pixels = this.#bytes.subarray(this.#place, this.#place + size);
    this.#place += Math.ceil(size / 4) * 4;
    return pixels;
  }

  finish() {
    if (this.#place !== this.#bytes.length) {
      throw new RangeError("more bytes than there should be");
    }
  }

  #numbers(count, read) {
    return Array.from({ length: count }, () => {
      const number = read(this.#place);
      this.#place += 4;
      return number;
    });
  }
}
