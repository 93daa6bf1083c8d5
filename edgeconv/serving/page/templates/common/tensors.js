/** Tensors of the Open Inference Protocol: as the server takes them, and as it gives them. */

/** The protocol's names of types: ONNX Runtime's, and what holds the numbers. */
const TYPES = {
  BOOL: ["bool", Uint8Array],
  UINT8: ["uint8", Uint8Array],
  INT8: ["int8", Int8Array],
  UINT16: ["uint16", Uint16Array],
  INT16: ["int16", Int16Array],
  UINT32: ["uint32", Uint32Array],
  INT32: ["int32", Int32Array],
  UINT64: ["uint64", BigUint64Array],
  INT64: ["int64", BigInt64Array],
  FP16: ["float16", Uint16Array],
  FP32: ["float32", Float32Array],
  FP64: ["float64", Float64Array],
};

const NAMES = Object.fromEntries(
  Object.entries(TYPES).map(([name, [type]]) => [type, name]),
);

/**
 * Returns what the server is told of an array, and its bytes. A picture goes as a PNG.
 *
 * @param {string} name
 * @param {{ type: string, dims: number[], data: ArrayLike<number | bigint> }} array
 */
export async function encode(name, { type, dims, data }) {
  const isPicture = name === "picture" && dims.length === 3;
  const bytes = isPicture ? await pngOf(data, dims) : data;
  const parts = isPicture ? [lengthOf(bytes), bytes] : [bytes];
  const size = parts.reduce((sum, part) => sum + (part.size ?? part.byteLength), 0);
  const tensor = {
    name,
    datatype: isPicture ? "BYTES" : NAMES[type],
    shape: isPicture ? [1] : dims,
    parameters: { binary_data_size: size },
  };
  return { tensor, parts };
}

/** Returns the arrays of an answer by name. */
export function decode(buffer, length) {
  const text = new TextDecoder().decode(buffer.slice(0, length));
  let place = length;
  const pairs = JSON.parse(text).outputs.map((output) => {
    const { name, datatype, shape, parameters } = output;
    const end = place + parameters.binary_data_size;
    const [type, Numbers] = TYPES[datatype];
    const data = new Numbers(buffer.slice(place, end));
    place = end;
    return [name, { type, dims: shape, data }];
  });
  return Object.fromEntries(pairs);
}

/** Returns the pixels as a PNG: what a canvas holds is colour and alpha. */
async function pngOf(data, [height, width, channels]) {
  const pixels = channels === 4 ? data : withAlpha(data, channels);
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(clamped, width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

function withAlpha(data, channels) {
  const pixels = new Uint8Array((data.length / channels) * 4).fill(255);
  for (let pixel = 0; pixel < pixels.length / 4; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const place = pixel * channels + Math.min(channel, channels - 1);
      pixels[4 * pixel + channel] = data[place];
    }
  }
  return pixels;
}

function lengthOf({ size }) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, size, true);
  return bytes;
}
