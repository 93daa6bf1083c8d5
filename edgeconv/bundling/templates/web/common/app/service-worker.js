/** Keeps the files of one build for use offline. */

importScripts("precache.js"); // written by build.mjs: the build's version, its files and their hashes

const { version, files } = self.precache;
/** So long a page waits for the server; then it opens as if there were none. */
const LONGEST_MS = 3000;
const prefix = `${self.registration.scope} `;
const name = prefix + version;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(respond(event.request));
});

/** Takes all files or none: their hashes keep files of two builds from being mixed. */
async function install() {
  const requests = Object.entries(files).map(
    ([url, integrity]) => new Request(url, { cache: "no-cache", integrity }),
  );
  const cache = await caches.open(name);
  await cache.addAll(requests);
  await self.skipWaiting();
}

async function forgetOthers() {
  for (const other of await caches.keys())
    if (other.startsWith(prefix) && other !== name) await caches.delete(other);
  await self.clients.claim();
}

async function respond(request) {
  const opensPage = request.mode === "navigate";
  if (opensPage && (await isReplaced(request.url))) await caches.delete(name);
  const kept = await caches.match(request, {
    cacheName: name,
    ignoreSearch: opensPage,
    ignoreVary: true,
  });
  // Browsers refuse a page that was redirected when it was stored.
  return kept && !kept.redirected ? kept : fetch(request);
}

/** Whether the server has another build by now, such as that of another model. Without a connection it has none. */
async function isReplaced(url) {
  // The self-test waits as long as it takes: it must not speak for another model.
  const patient = new URL(url).pathname.endsWith("/selftest.html");
  const options = { cache: "no-store", redirect: "error" };
  if (!patient) options.signal = AbortSignal.timeout(LONGEST_MS);
  try {
    const response = await fetch("precache.js", options);
    const isBroken = response.status >= 500;
    return !isBroken && !(await response.text()).includes(`"${version}"`);
  } catch {
    return false;
  }
}
