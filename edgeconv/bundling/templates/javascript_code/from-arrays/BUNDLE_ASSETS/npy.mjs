/** Reads arrays as numpy.save writes them: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { InputError } from "./contract.mjs";

/** numpy's letters of types: ONNX Runtime's name, and what holds the numbers. */
const types = {
  "<f4": ["float32", Float32Array],
  "<f8": ["float64", Float64Array],
  "<f2": ["float16", Uint16Array],
  "|u1": ["uint8", Uint8Array],
  "|i1": ["int8", Int8Array],
  "<u2": ["uint16", Uint16Array],
  "<i2": ["int16", Int16Array],
  "<u4": ["uint32", Uint32Array],
  "<i4": ["int32", Int32Array],
  "<u8": ["uint64", BigUint64Array],
  "<i8": ["int64", BigInt64Array],
  "|b1": ["bool", Uint8Array],
};

/** Read the array of a file's bytes. */
export function parseArray(bytes, file) {
  const array = parse(bytes);
  if (array === null) {
    throw new InputError(
      `${file}: an array as numpy.save writes it is required, in C order`,
    );
  }
  return array;
}

function parse(bytes) {
  if (latin1(bytes.subarray(0, 6)) !== "\x93NUMPY") return null;
  const long = bytes[6] > 1;
  const start = long ? 12 : 10;
  if (bytes.length < start) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = latin1(bytes.subarray(start, start + size));
  const letters = header.match(/'descr': '([^']*)'/)?.[1];
  const shape = header.match(/'shape': \(([\d, ]*)\)/)?.[1];
  if (!(letters in types) || shape === undefined) return null;
  if (!header.includes("'fortran_order': False")) return null;
  const dims = (shape.match(/\d+/g) ?? []).map(Number);
  const [type, Numbers] = types[letters];
  const body = Uint8Array.from(bytes.subarray(start + size));
  const count = dims.reduce((product, length) => product * length, 1);
  if (body.length !== count * Numbers.BYTES_PER_ELEMENT) return null;
  return { type, dims, data: new Numbers(body.buffer) };
}

function latin1(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
