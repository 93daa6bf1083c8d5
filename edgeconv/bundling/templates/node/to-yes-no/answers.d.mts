import type { Arrays, Label } from "./contract.mjs";

export interface Answer {
  /** Of the two labels, the one that is answered. */
  label: Label;
  /** Whether that is the yes. */
  answer: boolean;
  /** The probability of the yes, 0 to 1. */
  probability: number;
  /** The probability from which on yes is answered. */
  threshold: number;
}

export interface Options {
  /** The probability from which on yes is answered, 0 to 1. */
  threshold?: number;
}

/** Return what the arrays that came out mean. */
export declare function answerOf(arrays: Arrays, options?: Options): Answer;

/** Return an answer as a row of JSON. */
export declare function rowOf(answer: Answer): Record<string, unknown>;
