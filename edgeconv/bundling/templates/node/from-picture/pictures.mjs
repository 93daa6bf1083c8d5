/** Reads PNG and JPEG files into raw pixels, upright as a camera's EXIF data says. */
import { inflateSync } from "node:zlib";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { InputError } from "./contract.mjs";
import { readRegular } from "./reading.mjs";
import { scaleToFit } from "./scaling.mjs";

const maxPixels = 89_478_485;
const maxSide = 65_535;
/** What a picture may take while it is decoded. */
const maxBytes = 300e6;
/** jpeg-js takes nearly twice as much as it counts. */
const maxCountedMB = 170;

/** Read a PNG or JPEG file. */
export async function readPicture(file) {
  let bytes;
  try {
    bytes = await readRegular(file);
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
    if (start === "\x89PNG\r\n\x1a\n") {
      const { buffer, byteOffset, length } = bytes;
      return scaleToFit(decodePng(Buffer.from(buffer, byteOffset, length)));
    }
    if (start.startsWith("\xff\xd8\xff")) return decodeJpeg(bytes);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const words = error.message.includes("limit exceeded")
      ? "is too large: it would take more than 300 MB"
      : `is damaged: ${error.message}`;
    throw new InputError(words, { cause: error });
  }
  throw new InputError("is neither a PNG nor a JPEG picture");
}

function decodePng(bytes) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const [bits, colours, interlaced] = [bytes[24], bytes[25], bytes[28]];
  if (width * height > maxPixels || Math.max(width, height) > maxSide) {
    throw new InputError(`${width}x${height} is too large`);
  }
  const raw = (width * height * bits * (samplesOf[colours] ?? 4)) / 8;
  const made = width * height * (bits === 16 ? 12 : 4);
  const needed = bytes.length + 4 * raw + made;
  if (needed > maxBytes) {
    const megabytes = Math.round(needed / 1e6);
    throw new InputError(
      `${width}x${height} is too large: it would take ${megabytes} MB of 300`,
    );
  }
  if (interlaced) checkUnpacked(bytes, 2 * raw + 65_536);
  // Whatever the file holds, pngjs makes RGBA of 8 bits of it.
  return { data: PNG.sync.read(bytes).data, width, height, channels: 4 };
}

/** Samples of a pixel, by PNG's number of the kind of colour. */
const samplesOf = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Refuse more pixels than there are: pngjs unpacks all that an interlaced picture holds. */
function checkUnpacked(bytes, most) {
  const parts = [];
  let place = 8;
  while (place + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(place);
    const name = bytes.toString("latin1", place + 4, place + 8);
    const next = place + size + 12;
    if (name === "IDAT") parts.push(bytes.subarray(place + 8, next - 4));
    place = next;
  }
  inflateSync(Buffer.concat(parts), { maxOutputLength: most });
}

function decodeJpeg(bytes) {
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
