/**
 * The model on ONNX Runtime: a picture in, an answer out.
 *
 * The model prepares pictures itself, so there is nothing to resize or to scale here.
 * It needs contract.js and ort/ beside it, and no page: it runs in a worker as well.
 *
 * @typedef {object} Picture
 * @property {Uint8Array} data pixels row by row, 0 to 255
 * @property {number} height any
 * @property {number} width any
 * @property {1 | 3 | 4} channels grey, RGB, or RGB with straight alpha
 *
 * @typedef {object} Answer
 * @property {number} index the likeliest class, or -1 where nothing was found
 * @property {string} label its name, or "" where nothing was found
 * @property {Float32Array} probabilities one a class; all 0 where nothing was found
 * @property {Uint8Array} prepared what the net was fed: height * width * channels
 * @property {number} milliseconds from the pixels to the answer
 */

import { labels } from "./contract.js";

const RUNTIME = "./ort/ort.wasm.bundle.min.mjs";
const MODEL = new URL("BUNDLE_MODEL_FILE", import.meta.url);

/**
 * Loads ONNX Runtime and the model.
 *
 * @returns {Promise<Model>}
 */
export async function openModel() {
  const [ort, bytes] = await Promise.all([loadRuntime(), download(MODEL)]);
  // More threads need the headers COOP and COEP, and a small model gains nothing.
  ort.env.wasm.numThreads = 1;
  try {
    const options = { executionProviders: ["wasm"] };
    return new Model(ort, await ort.InferenceSession.create(bytes, options));
  } catch (error) {
    throw new Error(`ONNX Runtime cannot open the model: ${error.message}`, {
      cause: error,
    });
  }
}

class Model {
  #ort;
  #session;

  constructor(ort, session) {
    this.#ort = ort;
    this.#session = session;
  }

  /**
   * @param {Picture} picture
   * @returns {Promise<Answer>}
   */
  async predict({ data, height, width, channels }) {
    const shape = [height, width, channels];
    const begin = performance.now();
    const outputs = await this.#session.run({
      picture: new this.#ort.Tensor("uint8", data, shape),
    });
    const milliseconds = performance.now() - begin;
    const probabilities = outputs.probabilities.data;
    if (probabilities.length !== labels.length)
      throw new Error(
        `The model answers ${probabilities.length} classes, contract.js names ${labels.length}.`,
      );
    const index = largest(probabilities);
    return {
      index,
      label: labels[index] ?? "",
      probabilities,
      prepared: outputs.prepared.data,
      milliseconds,
    };
  }
}

async function loadRuntime() {
  try {
    return await import(RUNTIME);
  } catch {
    throw new Error(
      "ONNX Runtime is not beside this page. Run `npm install --ignore-scripts && npm run build`.",
    );
  }
}

async function download(url) {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) {
    const reason = response ? `status ${response.status}` : "no connection";
    throw new Error(`The model cannot be downloaded: ${reason}.`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** The index of the largest probability, or -1 where all are 0. */
function largest(probabilities) {
  return probabilities.reduce(
    (best, value, index) => (value > (probabilities[best] ?? 0) ? index : best),
    -1,
  );
}
