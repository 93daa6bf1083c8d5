/** JPEG files: jpeg-js decodes those of usual sizes, libjpeg-turbo larger ones, with a sixth of the memory. */
import { Worker } from "node:worker_threads";
import jpeg from "jpeg-js";
import { InputError } from "./contract.mjs";
import { scaleToFit } from "./scaling.mjs";

const maxPixels = 89_478_485;
/** jpeg-js takes nearly twice as much as it counts. */
const maxCountedMB = 170;
/** So many samples of pixels, 12 megapixels as cameras write them, take jpeg-js that. */
const mostSamples = 18.75e6;
/** What libjpeg-turbo may take: the pixels twice, all coefficients, and the file twice. */
const maxTurboBytes = 490e6;

const SOF = 0xc0;
const NO_SOF = [0xc4, 0xc8, 0xcc];
const APP1 = 0xe1;

/** Decode a JPEG of a usual size. */
export function decodeJpeg(bytes) {
  const { data, width, height, exifBuffer } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: maxPixels / 1e6,
    maxMemoryUsageInMB: maxCountedMB,
  });
  const picture = scaleToFit({ data, width, height, channels: 3 });
  return turnUpright(picture, orientationOf(exifBuffer));
}

/** Decode a JPEG that is too large for jpeg-js; null for any other file. */
export async function decodeLargeJpeg(bytes) {
  const { width, height, samples, channels, exif } = headerOf(bytes);
  if (!(samples > mostSamples) || channels > 3) return null;
  const needed = 6 * width * height + 2 * samples + 2 * bytes.length;
  if (width * height > maxPixels || needed > maxTurboBytes) {
    const megabytes = `${Math.round(needed / 1e6)} MB of ${maxTurboBytes / 1e6}`;
    throw new InputError(
      `${width}x${height} is too large: it would take ${megabytes}`,
    );
  }
  const worker = new Worker(new URL("jpeg-worker.mjs", import.meta.url), {
    workerData: bytes,
  });
  try {
    const picture = await new Promise((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
    });
    return turnUpright(picture, orientationOf(exif));
  } catch (error) {
    throw new InputError("is damaged: libjpeg-turbo cannot decode it", {
      cause: error,
    });
  } finally {
    await worker.terminate();
  }
}

/** Read what stands before the first scan (ITU-T T.81, annex B): nothing of a file that is no JPEG. */
function headerOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = {};
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return header;
  for (let place = 2; place + 10 < bytes.length && bytes[place] === 0xff;) {
    const marker = bytes[place + 1];
    if (marker === 0xff) {
      place++; // Any number of these may stand before a marker.
      continue;
    }
    const next = place + 2 + view.getUint16(place + 2);
    if (marker === APP1 && view.getUint32(place + 4) === 0x45786966) {
      header.exif ??= bytes.subarray(place + 9, next);
    } else if ((marker & 0xf0) === SOF && !NO_SOF.includes(marker)) {
      const [height, width] = [5, 7].map((at) => view.getUint16(place + at));
      const channels = bytes[place + 9];
      const parts = Array.from({ length: channels }, (_, number) => {
        const factors = bytes[place + 11 + 3 * number];
        return (factors >> 4) * (factors & 15);
      });
      const shares =
        parts.reduce((sum, part) => sum + part, 0) / Math.max(...parts);
      const samples = width * height * shares;
      return { ...header, width, height, channels, samples };
    }
    place = next;
  }
  return header;
}

/** Find the tag "orientation" (CIPA DC-008, section 4.6.5), 1 to 8. */
function orientationOf(exif) {
  if (!exif) return 1;
  try {
    // One zero byte, then a TIFF header with the place of the first directory.
    const view = new DataView(exif.buffer, exif.byteOffset + 1);
    const little = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, little);
    const count = view.getUint16(directory, little);
    for (let entry = 0; entry < count; entry++) {
      const place = directory + 2 + entry * 12;
      if (view.getUint16(place, little) === 0x0112) {
        return view.getUint16(place + 8, little);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // else it was cut short
  }
  return 1;
}

function turnUpright(picture, orientation) {
  if (!(orientation >= 2 && orientation <= 8)) return picture;
  const { data, width, height, channels } = picture;
  const turned = orientation >= 5;
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBottom = [3, 4, 6, 7].includes(orientation);
  const [rows, columns] = turned ? [width, height] : [height, width];
  const upright = new Uint8Array(data.length);
  let place = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = turned ? [row, column] : [column, row];
      const pixel =
        (fromBottom ? height - 1 - y : y) * width +
        (fromRight ? width - 1 - x : x);
      for (let channel = 0; channel < channels; channel++) {
        upright[place++] = data[pixel * channels + channel];
      }
    }
  }
  return { data: upright, width: columns, height: rows, channels };
}
