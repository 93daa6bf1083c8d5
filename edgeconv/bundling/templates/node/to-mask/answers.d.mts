import type { Arrays } from "./contract.mjs";

export interface Answer {
  /** The index of each pixel's class, row by row. */
  classes: Uint16Array;
  /** Of what the net was fed. */
  height: number;
  width: number;
}

export interface Options {
  /** Of a mask of one map: the probability from which on a pixel is answered, 0 to 1. */
  threshold?: number;
}

/** Return what the arrays that came out mean. */
export declare function answerOf(arrays: Arrays, options?: Options): Answer;

/** Return how much of the picture each class covers, as a row of JSON. */
export declare function rowOf(answer: Answer): Record<string, unknown>;
