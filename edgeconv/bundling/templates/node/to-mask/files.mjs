/** The file that `predict.mjs` writes of an answer: the mask as a picture. */
import { PNG } from "pngjs";
import { labels } from "./contract.mjs";

/** The ending of the file that `fileOf` makes. */
export const ending = ".mask.png";

/** Return a grey PNG of the indices of the classes, of 16 bits where there are more than 256. */
export function fileOf({ classes, height, width }) {
  const bitDepth = labels.length > 256 ? 16 : 8;
  const levels = bitDepth === 16 ? classes : Uint8Array.from(classes);
  const form = { bitDepth, colorType: 0, inputColorType: 0 };
  const png = new PNG({ width, height, ...form, inputHasAlpha: false });
  png.data = Buffer.from(levels.buffer);
  return PNG.sync.write(png, { ...form, inputHasAlpha: false });
}
