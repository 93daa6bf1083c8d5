/**
 * Lets the page open without a connection from now on.
 *
 * @returns {Promise<boolean>} whether it does
 */
export async function keepOffline() {
  try {
    const { serviceWorker } = navigator;
    await serviceWorker.register("service-worker.js", {
      updateViaCache: "none",
    });
    await serviceWorker.ready;
    return true;
  } catch {
    // Private windows and plain HTTP have no service workers: the page works, with a connection.
    return false;
  }
}
