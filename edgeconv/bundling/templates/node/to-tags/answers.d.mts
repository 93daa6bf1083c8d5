import type { Arrays, Label } from "./contract.mjs";

export interface Answer {
  /** The things that are in the picture, likeliest first. */
  tags: Label[];
  /** All of them, in the order of the labels; each probability, 0 to 1, stands alone. */
  scores: { label: Label; index: number; probability: number }[];
  /** The probability from which on a tag is answered. */
  threshold: number;
}

export interface Options {
  /** The probability from which on a tag is answered, 0 to 1. */
  threshold?: number;
}

/** Return what the arrays that came out mean. */
export declare function answerOf(arrays: Arrays, options?: Options): Answer;

/** Return an answer as a row of JSON. */
export declare function rowOf(answer: Answer): Record<string, unknown>;
