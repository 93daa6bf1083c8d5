/** Keeps the files of one build for use offline. */

importScripts("precache.js"); // written by build.mjs: the build's version, its files and their hashes

const { version, files } = self.precache;
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
  const cache = await caches.open(name);
  const kept = await cache.match(request, {
    ignoreSearch: request.mode === "navigate",
    ignoreVary: true,
  });
  // Browsers refuse a page that was redirected when it was stored.
  return kept && !kept.redirected ? kept : fetch(request);
}
