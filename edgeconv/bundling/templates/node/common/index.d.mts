/** A class that the model knows. */
BUNDLE_LABELS_TYPESCRIPT

/** The classes, in the order of the probabilities. */
export declare const labels: readonly Label[];

/** Rows, columns and channels of what the model makes of every picture. */
export declare const preparedShape: readonly [
  height: number,
  width: number,
  channels: number,
];

/** Raw pixels, row by row, of a picture of any size. */
export interface Picture {
  /** height * width * channels bytes, 0-255. */
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  /** 1 is grey, 3 are RGB, 4 RGB and straight alpha. */
  channels: 1 | 3 | 4;
}

export interface Prediction {
  /** The likeliest class. */
  label: Label;
  /** Its place among the labels. */
  index: number;
  /** Its probability, 0 to 1. */
  probability: number;
  /** The probabilities of all classes, in the order of the labels. */
  probabilities: Float32Array;
}

export interface Model {
  /**
   * Tell what a picture shows.
   *
   * @throws {PictureError} it is no such picture, or nothing is found in it.
   */
  predict(picture: Picture): Promise<Prediction>;

  /** Return the probabilities of all classes, and what the net was fed. */
  run(
    picture: Picture,
  ): Promise<{ probabilities: Float32Array; prepared: Uint8Array }>;

  /** Give the model's memory back. */
  release(): Promise<void>;
}

/**
 * Load the model; by default the one beside this file.
 *
 * @throws {BundleError} ONNX Runtime cannot load it.
 */
export declare function open(file?: string): Promise<Model>;

/** A picture that cannot be answered; the next one may be. */
export declare class PictureError extends Error {}

/** The model or the self-test's samples are absent, damaged, or of another model. */
export declare class BundleError extends Error {}
