/** Runs the model off the page's thread, so that the page stays smooth meanwhile. */

import { openModel } from "./model.js";

const opening = openModel(self.name);

opening.then(
  ({ where }) => postMessage({ ready: true, where }),
  (error) => postMessage({ ready: false, problem: error.message }),
);

addEventListener("message", async ({ data: { id, method, given } }) => {
  try {
    const model = await opening;
    postMessage({ id, result: await model[method](given) });
  } catch (error) {
    postMessage({ id, problem: error.message });
  }
});
