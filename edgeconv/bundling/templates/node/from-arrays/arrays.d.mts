import type { NumberArray } from "./contract.mjs";

/**
 * Read an array as numpy.save writes it.
 *
 * @throws {InputError} there is no such file, or it is no array of numbers in C order.
 */
export declare function readArray(file: string | URL): Promise<NumberArray>;
