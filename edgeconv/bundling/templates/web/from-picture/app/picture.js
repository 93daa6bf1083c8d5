/** Reads pictures as the pixels that are in their files: no colour management, upright as their EXIF data says. */

/** Larger pictures are scaled down first, or phones would run out of memory. */
const MOST_PIXELS = 4 * 1024 * 1024;
/** Larger ones are not decoded at all. */
const MOST_DECODED = 50e6;

/**
 * Reads a picture file.
 *
 * @param {File} file
 * @returns {Promise<{ canvas: OffscreenCanvas, note: string }>} what to give to `pixelsOf`, and what there is to say
 */
export async function readPicture(file) {
  const bitmap = await decode(file);
  const { width, height } = bitmap;
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.floor(width * scale)),
    Math.max(1, Math.floor(height * scale)),
  );
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const note =
    scale < 1
      ? `The picture has ${width} × ${height} pixels; it was scaled to ${canvas.width} × ${canvas.height} first.`
      : "";
  return { canvas, note };
}

/**
 * Reads the pixels of a canvas.
 *
 * @param {OffscreenCanvas} canvas
 * @returns {{ data: Uint8Array, height: number, width: number, channels: 4 }}
 */
export function pixelsOf(canvas) {
  checkHonesty();
  const { width, height } = canvas;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const { buffer } = context.getImageData(0, 0, width, height).data;
  return { data: new Uint8Array(buffer), height, width, channels: 4 };
}

async function decode(file) {
  const wanted = "Take a PNG, JPEG or WebP picture.";
  if (file.type && !file.type.startsWith("image/"))
    throw new Error(`“${file.name}” is not a picture. ${wanted}`);
  const { width, height } = await sizeOf(file);
  if (width * height > MOST_DECODED)
    throw new Error(
      `“${file.name}” has ${width} × ${height} pixels, too many for a page. Scale it down first.`,
    );
  try {
    return await createImageBitmap(file, {
      colorSpaceConversion: "none",
      imageOrientation: "from-image",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new Error(
      `“${file.name}” cannot be read: it is damaged, or this browser does not know its format. ${wanted}`,
    );
  }
}

/** Asks the browser for the size, which it reads before it decodes pixels; 0 where it knows none. */
async function sizeOf(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  await new Promise((resolve) => {
    image.onload = resolve;
    image.onerror = resolve;
  });
  URL.revokeObjectURL(image.src);
  return { width: image.naturalWidth, height: image.naturalHeight };
}

/** Some browsers, when told to resist fingerprinting, give pages other pixels than are there. */
function checkHonesty() {
  const canvas = new OffscreenCanvas(16, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const greys = Array.from({ length: 16 }, (_, index) => index * 17);
  greys.forEach((grey, x) => {
    context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    context.fillRect(x, 0, 1, 1);
  });
  const { data } = context.getImageData(0, 0, 16, 1);
  // Noise of a few levels does no harm.
  if (greys.some((grey, x) => Math.abs(data[4 * x] - grey) > 8))
    throw new Error(
      "This browser hides pixels from pages to resist fingerprinting. Allow this page to read canvases.",
    );
}
