import type { Arrays, Label } from "./contract.mjs";

export interface Answer {
  /** The numbers by their names. */
  values: Record<Label, number>;
}

/** There are none. */
export type Options = Record<string, never>;

/** Return what the arrays that came out mean. */
export declare function answerOf(arrays: Arrays): Answer;

/** Return an answer as a row of JSON. */
export declare function rowOf(answer: Answer): Record<string, unknown>;
