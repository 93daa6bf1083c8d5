/**
 * The model on ONNX Runtime: arrays in, arrays out, and what they mean.
 *
 * It needs the .mjs files and ort/ beside it, and no page: it runs in a worker as well.
 *
 * @typedef {object} NumberArray
 * @property {string} type such as "float32"; "float16" may be kept as bits
 * @property {number[]} dims the size of each axis
 * @property {ArrayLike<number | bigint>} data the numbers, row by row
 *
 * @typedef {Record<string, NumberArray>} Arrays by name
 *
 * @typedef {object} Prediction
 * @property {object | null} answer as `answerOf` in answers.mjs makes it; null where nothing was found in a picture
 * @property {NumberArray | null} prepared what the net was fed of a picture
 * @property {number} milliseconds that the model took
 */

import { answerOf } from "./answers.mjs";
import { inputs, outputs } from "./contract.mjs";
import { feed, isFound, prepared } from "./inputs.mjs";

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
    const received = [session.inputNames, session.outputNames];
    if (String(received) !== String([inputs, outputs.concat(prepared ?? [])]))
      throw new Error("it is not the one that this page was made for.");
  }

  /**
   * Answers one input.
   *
   * @param {object} source as `feed` in inputs.mjs takes it
   * @returns {Promise<Prediction>}
   */
  async predict(source) {
    const given = feed(source);
    const begin = performance.now();
    const found = await this.run(given);
    const milliseconds = performance.now() - begin;
    return {
      answer: isFound(found) ? answerOf(found) : null,
      prepared: prepared && found[prepared],
      milliseconds,
    };
  }

  /**
   * Returns the arrays that come out.
   *
   * @param {Arrays} arrays
   * @returns {Promise<Arrays>}
   */
  async run(arrays) {
    const tensors = {};
    for (const name of inputs) {
      const { type, data, dims } = arrays[name];
      tensors[name] = new this.#ort.Tensor(type, data, dims);
    }
    const found = await this.#session.run(tensors);
    const pairs = Object.entries(found).map(([name, tensor]) => {
      const { type, dims, data } = tensor;
      return [name, { type, dims: [...dims], data }];
    });
    return Object.fromEntries(pairs);
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
