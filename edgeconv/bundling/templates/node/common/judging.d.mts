import type { Model } from "./index.mjs";

/** How far the model was off on one sample. */
export interface Row {
  sample: number;
  /** The index of its class, or -1 where that is not known. */
  label: number;
  /** By output, without the cells that are spared; null where the net could not be fed what the reference was fed. */
  errors: Record<string, number | null>;
  outputs: Record<string, (number | boolean)[]>;
}

/** Whether the model answers as the reference did, sample by sample and in words. */
export interface Report {
  passed: boolean;
  rows: Row[];
  verdict: string[];
}

/**
 * Run the model on the samples of a file; by default the one beside this file.
 *
 * @throws {BundleError} the file is absent, damaged or of another model.
 */
export declare function selftest(model: Model, file?: string): Promise<Report>;
