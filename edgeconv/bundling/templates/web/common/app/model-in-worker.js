/** The model in a worker, with the same `predict` and `run` as in model.js. */

/**
 * @param {string} device the only one to try; without it the one of `?device=` in the page's address, else all
 * @returns {Promise<{
 *   where: string,
 *   predict(source: object): Promise<import("./model.js").Prediction>,
 *   run(arrays: import("./model.js").Arrays): Promise<import("./model.js").Arrays>,
 * }>}
 */
export function openInWorker(device = deviceOf(location)) {
  const url = new URL("worker.js", import.meta.url);
  const worker = new Worker(url, { type: "module", name: device });
  const waiting = new Map();
  let count = 0;

  const asking = (method) => (given) =>
    new Promise((resolve, reject) => {
      const id = count++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, given });
    });
  const model = { predict: asking("predict"), run: asking("run") };

  return new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.ready === true) return resolve({ ...model, where: data.where });
      if (data.ready === false) return reject(new Error(data.problem));
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      return data.result
        ? asked.resolve(data.result)
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

function deviceOf({ search }) {
  return new URLSearchParams(search).get("device") ?? "";
}
