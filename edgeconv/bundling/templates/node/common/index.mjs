/**
 * BUNDLE_NAME: tells which of BUNDLE_CLASSES classes a picture shows.
 *
 *     import { open } from "./index.mjs";
 *
 *     const model = await open();
 *     const { label } = await model.predict({ data, width, height, channels });
 *     await model.release();
 */
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";

// Without it ONNX Runtime keeps a device id under the home folder and sends usage data.
process.env.ORT_DISABLE_TELEMETRY ??= "1";

const modelFile = fileURLToPath(new URL("BUNDLE_MODEL_FILE", import.meta.url));

const sessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1, // the fastest for one picture at a time
  logSeverityLevel: 3, // errors only
  // Exact sums of int8 products on x86 processors without VNNI, too.
  extra: { session: { x64quantprecision: "1" } },
};

/** The classes, in the order of the probabilities. */
BUNDLE_LABELS_JAVASCRIPT

/** Rows, columns and channels of what the model makes of every picture. */
export const preparedShape = [BUNDLE_HEIGHT, BUNDLE_WIDTH, BUNDLE_CHANNELS];

/** A picture that cannot be answered; the next one may be. */
export class PictureError extends Error {
  name = "PictureError";
}

/** The model or the self-test's samples are absent, damaged, or of another model. */
export class BundleError extends Error {
  name = "BundleError";
}

/** Load the model. */
export async function open(file = modelFile) {
  try {
    return new Model(await InferenceSession.create(file, sessionOptions));
  } catch (error) {
    const words = `${file}: cannot be loaded: ${error.message}`;
    throw new BundleError(words, { cause: error });
  }
}

class Model {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** Tell what a picture shows: the likeliest class, and how likely each is. */
  async predict(picture) {
    const { probabilities } = await this.run(picture);
    const probability = Math.max(...probabilities);
    if (!(probability > 0)) {
      throw new PictureError("nothing was found in the picture");
    }
    const index = probabilities.indexOf(probability);
    return { label: labels[index], index, probability, probabilities };
  }

  /** Return the probabilities of all classes, and what the net was fed. */
  async run(picture) {
    const tensor = toTensor(picture);
    const { probabilities, prepared } = await this.#answer(tensor);
    if (
      String(probabilities?.dims) !== String([1, labels.length]) ||
      String(prepared?.dims) !== String([1, ...preparedShape])
    ) {
      throw new BundleError("the model is not the one of these labels");
    }
    return { probabilities: probabilities.data, prepared: prepared.data };
  }

  async #answer(picture) {
    try {
      return await this.#session.run({ picture });
    } catch (error) {
      const words = `the model cannot be run: ${error.message}`;
      throw new BundleError(words, { cause: error });
    }
  }

  /** Give the model's memory back. */
  async release() {
    await this.#session.release();
  }
}

function toTensor({ data, width, height, channels }) {
  if (![1, 3, 4].includes(channels)) {
    throw new PictureError(`1, 3 or 4 channels are read, not ${channels}`);
  }
  const bytes =
    data instanceof Uint8ClampedArray
      ? new Uint8Array(data.buffer, data.byteOffset, data.length)
      : data;
  const size = height * width * channels;
  if (!(bytes instanceof Uint8Array) || !(size > 0) || bytes.length !== size) {
    throw new PictureError(
      `${height} x ${width} pixels of ${channels} bytes are required, ` +
        `not ${data?.length} of ${data?.constructor.name}`,
    );
  }
  return new Tensor("uint8", bytes, [height, width, channels]);
}
