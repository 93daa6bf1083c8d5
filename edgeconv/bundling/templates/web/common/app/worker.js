/** Runs the model off the page's thread, so that the page stays smooth meanwhile. */

import { openModel } from "./model.js";

const opening = openModel();

opening.then(
  (model) => {
    postMessage({ ready: true });
    // The first run is slower than others: best while nobody waits.
    return model.predict(blank(140, 140));
  },
  (error) => postMessage({ ready: false, problem: error.message }),
);

addEventListener("message", async ({ data: { id, picture } }) => {
  try {
    const model = await opening;
    postMessage({ id, answer: await model.predict(picture) });
  } catch (error) {
    postMessage({ id, problem: error.message });
  }
});

function blank(height, width) {
  const data = new Uint8Array(height * width).fill(255);
  return { data, height, width, channels: 1 };
}
