/** Reads PNG and JPEG files into raw pixels, upright as a camera's EXIF data says. */
import { inflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { InputError } from "./contract.mjs";
import { decodeJpeg, decodeLargeJpeg } from "./jpegs.mjs";
import { readRegular } from "./reading.mjs";
import { scaleToFit } from "./scaling.mjs";

const maxPixels = 89_478_485;
const maxSide = 65_535;
/** What a picture may take while it is decoded. */
const maxBytes = 300e6;

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
  return (await decodeLargeJpeg(bytes)) ?? decode(bytes);
}

/** Read the bytes of a PNG or JPEG file; of large ones `readPicture` reads more. */
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
