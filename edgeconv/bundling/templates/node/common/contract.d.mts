/** A name of an answer. */
BUNDLE_LABELS_TYPESCRIPT

/** The names of the answers, in the order of the outputs' last axis. */
export declare const labels: readonly Label[];

/** The names of the arrays that go in. */
export declare const inputs: readonly string[];

/** The names of those that come out. */
export declare const outputs: readonly string[];

/** Numbers row by row, as ONNX Runtime's Tensor has them. */
export interface NumberArray {
  /** Such as "float32", "uint8", "int64"; "float16" is kept as bits. */
  readonly type: string;
  /** The size of each axis. */
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** Arrays by name. */
export type Arrays = Record<string, NumberArray>;

/** An input that cannot be answered; the next one may be. */
export declare class InputError extends Error {}

/** The model or the self-test's samples are absent, damaged, or of another model. */
export declare class BundleError extends Error {}

/**
 * Return numbers that are answers.
 *
 * @throws {InputError} there is NaN or infinity among them.
 */
export declare function finite<Numbers extends Float32Array>(
  numbers: Numbers,
): Numbers;
