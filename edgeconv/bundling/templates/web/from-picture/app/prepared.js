/**
 * Draws what the net was fed.
 *
 * @param {import("./model.js").NumberArray} prepared of one picture
 * @param {HTMLCanvasElement} canvas
 */
export function showPrepared({ data: levels, dims }, canvas) {
  const [, height, width, channels] = dims;
  const image = new ImageData(width, height);
  const { data } = image;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const first = pixel * channels;
    const last = first + channels - 1;
    data[4 * pixel] = levels[first];
    data[4 * pixel + 1] = levels[Math.min(first + 1, last)];
    data[4 * pixel + 2] = levels[last];
    data[4 * pixel + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}
