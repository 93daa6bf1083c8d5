import type { Picture } from "./inputs.mjs";

/**
 * Read a PNG or JPEG file.
 *
 * @throws {InputError} there is no such file, or it is no picture, damaged or too large.
 */
export declare function readPicture(file: string | URL): Promise<Picture>;

/**
 * Read the bytes of a PNG or JPEG file, of some 13 megapixels at most; `readPicture` reads larger JPEGs.
 *
 * @throws {InputError} they are no picture, damaged or too large.
 */
export declare function decode(bytes: Uint8Array): Picture;
