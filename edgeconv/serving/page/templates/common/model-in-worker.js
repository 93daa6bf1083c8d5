/** The model on the server, with the `predict` and `run` of the model that the web bundle runs in a worker. */

import { answerOf } from "./answers.mjs";
import { inputs, outputs } from "./contract.mjs";
import { feed, isFound, prepared } from "./inputs.mjs";
import { decode, encode } from "./tensors.js";

const ADDRESS = new URL("../../v2/models/BUNDLE_ADDRESS", import.meta.url);
const LENGTH = "Inference-Header-Content-Length";

/** Waits until the model is loaded, and returns it. */
export async function openInWorker() {
  await ask(ADDRESS, {});
  return { predict, run };
}

/**
 * Answers one input.
 *
 * @param {object} source as `feed` in inputs.mjs takes it
 */
async function predict(source) {
  const given = feed(source);
  const begin = performance.now();
  const found = await run(given);
  const milliseconds = performance.now() - begin;
  return {
    answer: isFound(found) ? answerOf(found) : null,
    prepared: prepared && found[prepared],
    milliseconds,
  };
}

/** Returns the arrays that come out, by name. */
async function run(arrays) {
  const tensors = inputs.map((name) => encode(name, arrays[name]));
  const sent = await Promise.all(tensors);
  const wanted = outputs.concat(prepared ?? []);
  const head = JSON.stringify({
    inputs: sent.map(({ tensor }) => tensor),
    outputs: wanted.map((name) => ({ name, parameters: { binary_data: true } })),
  });
  const text = new TextEncoder().encode(head);
  const response = await ask(new URL(`${ADDRESS}/infer`), {
    method: "POST",
    headers: { [LENGTH]: String(text.length) },
    body: new Blob([text, ...sent.flatMap(({ parts }) => parts)]),
  });
  const length = Number(response.headers.get(LENGTH));
  return decode(await response.arrayBuffer(), length);
}

async function ask(address, options) {
  const response = await fetch(address, options).catch(() => null);
  if (!response)
    throw new Error("The server does not answer. Is it still running?");
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `The server answers with ${response.status}.`);
}
