// Serves app/ to this machine alone: `npm start`, or `PORT=9000 npm start`.
// For the world, put app/ on any static host with HTTPS; see README.md for the headers.

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const APP = new URL("app/", import.meta.url);

const TYPES = {
  ".bin": "application/octet-stream",
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".onnx": "application/octet-stream",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

const HEADERS = {
  "Content-Security-Policy": `${await policy()}; frame-ancestors 'none'`,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

const server = createServer(async (request, response) => {
  if (!["GET", "HEAD"].includes(request.method))
    return refuse(response, 405, "Only GET and HEAD are answered here.");
  const path = pathOf(request.url);
  const found = path && (await stat(path).catch(() => null));
  if (!found?.isFile())
    return refuse(response, 404, "There is no such file in app/.");
  const tag = `"${found.mtimeMs.toString(36)}-${found.size.toString(36)}"`;
  const headers = { ...HEADERS, ETag: tag };
  if (request.headers["if-none-match"] === tag)
    return response.writeHead(304, headers).end();
  response.writeHead(200, {
    ...headers,
    "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
    "Content-Length": found.size,
  });
  if (request.method === "HEAD") return response.end();
  return createReadStream(path)
    .on("error", () => response.destroy())
    .pipe(response);
});

server.on("error", (error) => {
  console.error(
    error.code === "EADDRINUSE"
      ? `Port ${error.port} is taken. Choose another: PORT=9000 npm start`
      : error.message,
  );
  process.exit(1);
});

server.listen(Number(process.env.PORT ?? 8000), "localhost", () => {
  console.log(`http://localhost:${server.address().port}/`);
});

/** The page's own policy, so that it is written down once. */
async function policy() {
  const page = await readFile(new URL("index.html", APP), "utf8");
  return page.match(/content="(default-src[^"]*)"/)[1].replace(/\s+/g, " ");
}

/** The file that a URL means, or null where that is not below app/. */
function pathOf(url) {
  try {
    const { pathname } = new URL(url, "http://localhost");
    const relative = decodeURIComponent(pathname).slice(1);
    const file = relative === "" || relative.endsWith("/") ? "index.html" : "";
    const inside = !/(^|[/\\])\.|\0/.test(relative);
    return inside ? fileURLToPath(APP) + relative + file : null;
  } catch {
    return null;
  }
}

function refuse(response, status, words) {
  const type = { "Content-Type": "text/plain; charset=utf-8" };
  response.writeHead(status, { ...HEADERS, ...type }).end(`${words}\n`);
}
