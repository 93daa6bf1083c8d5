/** The samples of the self-test: inputs whose answers are known. */
import { BundleError, fingerprint, inputs, outputs } from "./contract.mjs";
import { prepared } from "./inputs.mjs";

const version = 3;
const headerSize = 24;

/** ONNX' numbers of types: ONNX Runtime's name, and what holds the numbers. */
const types = {
  1: ["float32", Float32Array],
  2: ["uint8", Uint8Array],
  3: ["int8", Int8Array],
  4: ["uint16", Uint16Array],
  5: ["int16", Int16Array],
  6: ["int32", Int32Array],
  7: ["int64", BigInt64Array],
  9: ["bool", Uint8Array],
  10: ["float16", Uint16Array],
  11: ["float64", Float64Array],
  12: ["uint32", Uint32Array],
  13: ["uint64", BigUint64Array],
};

/** Read the samples of a file's bytes, and how far each output may be off. */
export function parseSamples(bytes, file) {
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  if (magic !== "EDGECONV" || bytes.length < headerSize) {
    throw new BundleError(`${file}: is no self-test`);
  }
  const reader = new Reader(Uint8Array.from(bytes));
  if (reader.integer() !== version) {
    throw new BundleError(`${file}: is no self-test of version ${version}`);
  }
  if (reader.integer() !== fingerprint) {
    throw new BundleError(`${file}: is the self-test of another model`);
  }
  try {
    return readAll(reader);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BundleError(`${file}: is damaged`, { cause: error });
  }
}

function readAll(reader) {
  const count = reader.integer();
  const names = outputs.concat(prepared ?? []);
  if (count === 0 || reader.integer() !== names.length) {
    throw new RangeError("no samples, or another number of outputs");
  }
  const limits = {};
  for (const name of names) limits[name] = reader.limit();
  const samples = [];
  while (samples.length < count) {
    const label = reader.label();
    const given = inputs.map((name) => [name, reader.array()]);
    const wanted = names.map((name) => [name, reader.array(limits[name])]);
    samples.push({
      label,
      inputs: Object.fromEntries(given),
      outputs: Object.fromEntries(wanted),
    });
  }
  reader.finish();
  return { samples, limits };
}

/** Reads little-endian numbers one after the other; a RangeError ends what is cut short. */
class Reader {
  #view;
  #place = 8;

  constructor(bytes) {
    this.#view = new DataView(bytes.buffer);
  }

  integer() {
    return this.#view.getUint32(this.#skip(4), true);
  }

  float() {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /**
   * How far an output may be off: numbers by `largest`, a share of the cells,
   * `spared`, by more. A cell is a pixel or a step, the numbers of the last
   * axis, or one number.
   */
  limit() {
    const [largest, spared] = [this.float(), this.float()];
    const cell = Number(this.#view.getBigInt64(this.#skip(8), true));
    if (!(largest >= 0 && spared >= 0 && spared < 1 && cell >= 1)) {
      throw new RangeError("a limit that nobody makes");
    }
    return { largest, spared, cell };
  }

  label() {
    const label = Number(this.#view.getBigInt64(this.#skip(8), true));
    if (label < -1) throw new RangeError("no such class");
    return label;
  }

  array({ cell } = { cell: 1 }) {
    const code = this.integer();
    const axes = this.integer();
    if (!(code in types)) throw new RangeError("no such type of numbers");
    const dims = [];
    while (dims.length < axes) {
      dims.push(Number(this.#view.getBigInt64(this.#skip(8), true)));
    }
    const [type, Numbers] = types[code];
    const count = dims.reduce((product, length) => product * length, 1);
    const size = count * Numbers.BYTES_PER_ELEMENT;
    if (dims.some((length) => length < 0)) throw new RangeError("no size");
    if (count % cell) throw new RangeError("numbers that are no whole cells");
    const place = this.#skip(Math.ceil(size / 8) * 8);
    return { type, dims, data: new Numbers(this.#view.buffer, place, count) };
  }

  finish() {
    if (this.#place !== this.#view.byteLength) {
      throw new RangeError("more bytes than there should be");
    }
  }

  #skip(size) {
    const place = this.#place;
    if (place + size > this.#view.byteLength) {
      throw new RangeError("fewer bytes than there should be");
    }
    this.#place += size;
    return place;
  }
}
