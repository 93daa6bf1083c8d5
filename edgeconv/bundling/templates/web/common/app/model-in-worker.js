/** The model in a worker, with the same `predict` as in model.js. */

/**
 * @returns {Promise<{ predict(picture: import("./model.js").Picture): Promise<import("./model.js").Answer> }>}
 */
export function openInWorker() {
  const url = new URL("worker.js", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const waiting = new Map();
  let count = 0;

  const predict = (picture) =>
    new Promise((resolve, reject) => {
      const id = count++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, picture });
    });

  return new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.ready === true) return resolve({ predict });
      if (data.ready === false) return reject(new Error(data.problem));
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      return data.answer
        ? asked.resolve(data.answer)
        : asked.reject(new Error(data.problem));
    });
    worker.addEventListener("error", () => {
      const error = new Error("worker.js cannot be loaded. Reload the page.");
      reject(error);
      for (const asked of waiting.values()) asked.reject(error);
      waiting.clear();
    });
  });
}
