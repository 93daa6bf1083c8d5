/**
 * BUNDLE_NAME: BUNDLE_PURPOSE.
 *
 *     import { open } from "./index.mjs";
 *
 *     const model = await open();
 *     const answer = await model.predict(input);
 *     await model.release();
 */
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { answerOf } from "./answers.mjs";
import { BundleError, InputError, inputs, outputs } from "./contract.mjs";
import { feed, isFound, prepared } from "./inputs.mjs";
import { requireRegular } from "./reading.mjs";

export * from "./answers.mjs";
export * from "./contract.mjs";
export * from "./inputs.mjs";

// Without it ONNX Runtime keeps a device id under the home folder and sends usage data.
process.env.ORT_DISABLE_TELEMETRY ??= "1";

const modelFile = fileURLToPath(new URL("BUNDLE_MODEL_FILE", import.meta.url));

const sessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1, // the fastest for one input at a time
  logSeverityLevel: 4, // errors come back as words
  // Exact sums of int8 products on x86 processors without VNNI, too.
  extra: { session: { x64quantprecision: "1" } },
};

/** Load the model. */
export async function open(file = modelFile) {
  let session;
  try {
    await requireRegular(file);
    session = await InferenceSession.create(file, sessionOptions);
  } catch (error) {
    const words = `${file}: cannot be loaded: ${error.message}`;
    throw new BundleError(words, { cause: error });
  }
  if (
    String(session.inputNames) !== String(inputs) ||
    String(session.outputNames) !== String(outputs.concat(prepared ?? []))
  ) {
    throw new BundleError("the model is not the one that this was made for");
  }
  return new Model(session);
}

class Model {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** Answer one input. */
  async predict(source, options) {
    const found = await this.run(feed(source));
    if (!isFound(found)) {
      throw new InputError("nothing was found in the picture");
    }
    return answerOf(found, options);
  }

  /** Return the arrays that come out, by name. */
  async run(arrays) {
    const tensors = {};
    for (const name of inputs) tensors[name] = toTensor(name, arrays[name]);
    try {
      return await this.#session.run(tensors);
    } catch (error) {
      const words = `does not fit the model: ${error.message}`;
      throw new InputError(words, { cause: error });
    }
  }

  /** Give the model's memory back. */
  async release() {
    await this.#session.release();
  }
}

function toTensor(name, array) {
  try {
    return new Tensor(array.type, array.data, array.dims);
  } catch (error) {
    const words = `\`${name}\` must be { type, data, dims }: ${error.message}`;
    throw new InputError(words, { cause: error });
  }
}
