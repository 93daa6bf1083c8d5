/**
 * Prints one JSON row a picture: its likeliest class, and the runners-up.
 *
 *     node predict.mjs IMAGE...
 */
import { BundleError, PictureError, labels, open } from "./index.mjs";
import { readPicture } from "./pictures.mjs";

function likeliest(probabilities, count) {
  return [...probabilities]
    .map((probability, index) => ({ label: labels[index], index, probability }))
    .sort((one, other) => other.probability - one.probability)
    .slice(0, count);
}

async function answer(model, path) {
  const prediction = await model.predict(await readPicture(path));
  const top = likeliest(prediction.probabilities, 3);
  return { path, ...top[0], top };
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error("usage: node predict.mjs IMAGE...");
  process.exit(2);
}
try {
  const model = await open();
  for (const path of paths) {
    try {
      console.log(JSON.stringify(await answer(model, path)));
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      console.error(`Error: ${path}: ${error.message}`);
      process.exitCode = 1;
    }
  }
  await model.release();
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  console.error(`Error: ${error.message}`);
  process.exitCode = 1;
}
