import type { Answer, Options } from "./answers.mjs";
import type { Arrays } from "./contract.mjs";
import type { Source } from "./inputs.mjs";

export * from "./answers.mjs";
export * from "./contract.mjs";
export * from "./inputs.mjs";

export interface Model {
  /**
   * Answer one input.
   *
   * @throws {InputError} it is no such input, or nothing is found in it.
   */
  predict(source: Source, options?: Options): Promise<Answer>;

  /**
   * Return the arrays that come out, by name.
   *
   * @throws {InputError} an array has another type or shape than the model takes.
   */
  run(arrays: Arrays): Promise<Arrays>;

  /** Give the model's memory back. */
  release(): Promise<void>;
}

/**
 * Load the model; by default the one beside this file.
 *
 * @throws {BundleError} ONNX Runtime cannot load it, or it is another model.
 */
export declare function open(file?: string): Promise<Model>;
