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
 * @property {string} where it ran, in words, and why not elsewhere; empty where there is no choice
 */

import { answerOf } from "./answers.mjs";
import { inputs, outputs } from "./contract.mjs";
import { devices } from "./devices.js";
import { feed, isFound, prepared } from "./inputs.mjs";
import { checkAnswers } from "./trust.js";

/** ONNX Runtime says a page on why it cannot open a model. */
const LONGEST = 160;
const MODEL = new URL("BUNDLE_MODEL_FILE", import.meta.url);

/**
 * Loads ONNX Runtime and the model, on the first device that gives the answers that are known.
 *
 * @param {string} asked the name of the only device to try; empty: all in devices.js
 * @returns {Promise<Model>}
 */
export async function openModel(asked = "") {
  const tried = devices.filter(({ name }) => !asked || name === asked);
  if (tried.length === 0)
    throw new Error(`This page was not made for the device ${asked}.`);
  const downloading = download(MODEL);
  const refusals = [];
  for (const device of tried.slice(0, -1)) {
    try {
      return await openOn(device, downloading, refusals);
    } catch (error) {
      refusals.push(`${device.title}: ${error.message.slice(0, LONGEST)}`);
    }
  }
  return openOn(tried.at(-1), downloading, refusals);
}

async function openOn({ name, title, runtime }, downloading, refusals) {
  if (name === "webgpu" && !(await navigator.gpu?.requestAdapter()))
    throw new Error("this browser offers no GPU");
  const [ort, bytes] = await Promise.all([loadRuntime(runtime), downloading]);
  // More threads need the headers COOP and COEP, and a small model gains nothing.
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const options = { executionProviders: [name] };
  const session = await ort.InferenceSession.create(bytes, options).catch(
    (error) => {
      throw new Error(`ONNX Runtime cannot open the model: ${error.message}`, {
        cause: error,
      });
    },
  );
  const model = new Model(ort, session, [title, ...refusals].join("; not on "));
  if (name !== "wasm") await checkAnswers(model);
  return model;
}

class Model {
  #ort;
  #session;

  constructor(ort, session, where) {
    this.where = where;
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
      where: this.where,
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

async function loadRuntime(file) {
  try {
    return await import(file);
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
