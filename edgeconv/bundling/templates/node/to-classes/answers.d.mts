import type { Arrays, Label } from "./contract.mjs";

export interface Answer {
  /** The likeliest class. */
  label: Label;
  /** Its place among the labels. */
  index: number;
  /** Its probability, 0 to 1. */
  probability: number;
  /** The probabilities of all classes, in the order of the labels. */
  probabilities: Float32Array;
}

/** There are none. */
export type Options = Record<string, never>;

/** Return what the arrays that came out mean. */
export declare function answerOf(arrays: Arrays): Answer;

/** Return an answer as a row of JSON. */
export declare function rowOf(answer: Answer): Record<string, unknown>;
