/** What is drawn over the picture that the net sees: the class of each pixel, as a colour. */

export const caption = "The prepared picture, its classes in colours";

export const isLarge = true;

const OPACITY = 0.55;

/** Colours whose neighbours are far apart, by the golden angle. */
export function colourOf(index) {
  return `hsl(${Math.round(index * 137.508 + 205) % 360} 75% 50%)`;
}

/**
 * @param {{ classes: Uint16Array, height: number, width: number }} answer
 * @param {HTMLCanvasElement} canvas with the picture on it
 */
export function drawOver({ classes, height, width }, canvas) {
  const mask = new OffscreenCanvas(width, height);
  const colours = mask.getContext("2d");
  for (let row = 0; row < height; row++) {
    let begin = 0;
    for (let column = 1; column <= width; column++) {
      const index = classes[row * width + begin];
      if (column < width && classes[row * width + column] === index) continue;
      colours.fillStyle = colourOf(index);
      colours.fillRect(begin, row, column - begin, 1);
      begin = column;
    }
  }
  const context = canvas.getContext("2d");
  context.globalAlpha = OPACITY;
  context.imageSmoothingEnabled = false;
  context.drawImage(mask, 0, 0, canvas.width, canvas.height);
}
