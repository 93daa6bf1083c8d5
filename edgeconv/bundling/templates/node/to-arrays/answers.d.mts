import type { Arrays } from "./contract.mjs";

/** The arrays by the names of `outputs`. */
export type Answer = Arrays;

/** There are none. */
export type Options = Record<string, never>;

/** Return what the arrays that came out mean. */
export declare function answerOf(arrays: Arrays): Answer;

/** Return an answer as a row of JSON. */
export declare function rowOf(answer: Answer): Record<string, unknown>;
