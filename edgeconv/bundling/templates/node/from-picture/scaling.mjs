/** Keeps what a picture takes while the model prepares it below 180 MB: a larger one is scaled down. */

/** The preparation takes width * (height + rowsBeside) times this, by the channels. */
const pixelBytes = BUNDLE_PIXEL_BYTES;
const rowsBeside = BUNDLE_ROWS_BESIDE;
/** What it may take. Less than in other languages: what the decoders leave behind is not freed at once. */
const mostBytes = BUNDLE_MOST_BYTES * 0.45;

/** Scale a picture down by the smallest whole factor that helps: each pixel becomes the mean of a square. */
export function scaleToFit(picture) {
  let factor = 1;
  while (bytesOf(picture, factor) > mostBytes) factor++;
  return factor === 1 ? picture : scaleDown(picture, factor);
}

function bytesOf({ width, height, channels }, factor) {
  const rows = Math.ceil(height / factor) + rowsBeside;
  return Math.ceil(width / factor) * rows * pixelBytes[channels];
}

function scaleDown({ data, width, height, channels }, factor) {
  const size = [Math.ceil(width / factor), Math.ceil(height / factor)];
  const made = new Uint8Array(size[0] * size[1] * channels);
  let place = 0;
  for (let top = 0; top < height; top += factor) {
    for (let left = 0; left < width; left += factor) {
      const bottom = Math.min(top + factor, height);
      const right = Math.min(left + factor, width);
      const sums = new Float64Array(channels);
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const pixel = (row * width + column) * channels;
          // Colours weigh as much as they are seen.
          const alpha = channels === 4 ? data[pixel + 3] : 1;
          for (let channel = 0; channel < channels; channel++) {
            sums[channel] += data[pixel + channel] * (channel < 3 ? alpha : 1);
          }
        }
      }
      const pixels = (bottom - top) * (right - left);
      const weight = channels === 4 ? sums[3] || 1 : pixels;
      for (let channel = 0; channel < channels; channel++) {
        const of = channel < 3 ? weight : pixels;
        made[place++] = Math.round(sums[channel] / of);
      }
    }
  }
  return { data: made, width: size[0], height: size[1], channels };
}
