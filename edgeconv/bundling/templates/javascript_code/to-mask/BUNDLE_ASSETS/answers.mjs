/** What the model's output means: the class of each pixel of what the net was fed. */
import { finite, labels, outputs } from "./contract.mjs";

/** Return the likeliest class of each pixel; of one map, what the threshold says. */
export function answerOf(arrays, { threshold = BUNDLE_THRESHOLD } = {}) {
  const { dims } = arrays[outputs[0]];
  const data = finite(arrays[outputs[0]].data);
  const [, height, width, maps] = dims;
  const classes = new Uint16Array(height * width);
  for (let pixel = 0; pixel < classes.length; pixel++) {
    const row = data.subarray(pixel * maps, (pixel + 1) * maps);
    classes[pixel] =
      maps === 1 ? Number(row[0] >= threshold) : row.indexOf(Math.max(...row));
  }
  return { classes, height, width };
}

/** Return how much of the picture each class covers, as a row of JSON. */
export function rowOf({ classes, height, width }) {
  const counts = labels.map(() => 0);
  for (const index of classes) counts[index]++;
  const shares = labels.map((label, index) => {
    return [label, counts[index] / classes.length];
  });
  return { height, width, shares: Object.fromEntries(shares) };
}
