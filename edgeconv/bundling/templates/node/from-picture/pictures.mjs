/** Reads PNG and JPEG files into raw pixels, upright as a camera's EXIF data says. */
import { readFile } from "node:fs/promises";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { InputError } from "./contract.mjs";

const maxPixels = 89_478_485;

/** Read a PNG or JPEG file. */
export async function readPicture(file) {
  let bytes;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new InputError(`cannot be read: ${error.message}`, {
      cause: error,
    });
  }
  return decode(bytes);
}

/** Read the bytes of a PNG or JPEG file. */
export function decode(bytes) {
  const start = Buffer.from(bytes.subarray(0, 8)).toString("latin1");
  try {
    if (start === "\x89PNG\r\n\x1a\n") return decodePng(Buffer.from(bytes));
    if (start.startsWith("\xff\xd8\xff")) return decodeJpeg(bytes);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`is damaged: ${error.message}`, { cause: error });
  }
  throw new InputError("is neither a PNG nor a JPEG picture");
}

function decodePng(bytes) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > maxPixels) {
    throw new InputError(`${width}x${height} is too large`);
  }
  // Whatever the file holds, pngjs makes RGBA of 8 bits of it.
  return { data: PNG.sync.read(bytes).data, width, height, channels: 4 };
}

function decodeJpeg(bytes) {
  const { data, width, height, exifBuffer } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: maxPixels / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  const picture = { data, width, height, channels: 3 };
  return turnUpright(picture, orientationOf(exifBuffer));
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
