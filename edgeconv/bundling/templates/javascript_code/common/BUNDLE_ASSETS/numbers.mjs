/** Numbers of arrays of any type. */
import { InputError } from "./contract.mjs";

/** Return the numbers of an array, true and false of booleans. */
export function numbersOf({ type, data }) {
  if (type === "bool") return Array.from(data, Boolean);
  if (type === "float16" && data instanceof Uint16Array) {
    return Array.from(data, fromHalf);
  }
  return Array.from(data, Number);
}

/** Return arrays as JSON objects, by name. */
export function describe(arrays, names) {
  return Object.fromEntries(
    names.map((name) => {
      const { type, dims } = arrays[name];
      const data = numbersOf(arrays[name]);
      return [name, { dtype: type, shape: [...dims], data }];
    }),
  );
}

/** Return a row as JSON, which has neither NaN nor infinity. */
export function jsonOf(row) {
  return JSON.stringify(row, (_, value) => {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new InputError("the model answers NaN or infinity");
    }
    return value;
  });
}

/** IEEE 754, binary16: a sign, 5 bits of exponent, 10 of fraction. */
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}
