import type { Arrays } from "./contract.mjs";

/** What `predict` takes: an array for each name of `inputs`. */
export type Source = Arrays;
