// Completes app/: puts ONNX Runtime beside the page, and lists all files for use offline.
// Run it after every change in app/: browsers take a new offline copy when the list changes.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { runtimeFiles } from "./runtime-files.mjs";

const APP = new URL("app/", import.meta.url);
const PACKAGE = new URL("node_modules/onnxruntime-web/dist/", import.meta.url);

// The service worker and its list are the only files that are always fetched anew.
const LIST = "precache.js";
const NOT_LISTED = [LIST, "service-worker.js"];

await copyRuntime();
await writeList();

async function copyRuntime() {
  const folder = new URL("ort/", APP);
  await mkdir(folder, { recursive: true });
  for (const [name, sha256] of Object.entries(runtimeFiles)) {
    const bytes = await readFile(new URL(name, PACKAGE)).catch(() =>
      stop(`${name} is missing. Run \`npm install --ignore-scripts\` first.`),
    );
    // Another version, or a file that somebody changed.
    if (digest(bytes, "hex") !== sha256)
      stop(
        `${name} is not the one of onnxruntime-web 1.30.0. Install it anew.`,
      );
    await writeFile(new URL(name, folder), bytes);
  }
  const licences = await readFile(new URL("LICENSES.md", import.meta.url));
  await writeFile(new URL("LICENSES.txt", folder), licences);
}

async function writeList() {
  const files = {};
  let size = 0;
  let zipped = 0;
  for (const name of await filesBelow(APP)) {
    const bytes = await readFile(new URL(name, APP));
    files[name === "index.html" ? "./" : name] =
      `sha256-${digest(bytes, "base64")}`;
    size += bytes.length;
    zipped += gzipSync(bytes, { level: 9 }).length;
  }
  const version = digest(JSON.stringify(files), "hex").slice(0, 16);
  const list = JSON.stringify({ version, files }, null, 2);
  await writeFile(new URL(LIST, APP), `self.precache = ${list};\n`);
  const count = Object.keys(files).length;
  console.log(
    `app/ is complete: ${count} files, ${megabytes(size)}, ${megabytes(zipped)} gzipped; version ${version}`,
  );
}

async function filesBelow(folder, prefix = "") {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith("."))
      .map((entry) =>
        entry.isDirectory()
          ? filesBelow(
              new URL(`${entry.name}/`, folder),
              `${prefix}${entry.name}/`,
            )
          : [`${prefix}${entry.name}`],
      ),
  );
  return found
    .flat()
    .filter((name) => !NOT_LISTED.includes(name))
    .sort();
}

function digest(bytes, encoding) {
  return createHash("sha256").update(bytes).digest(encoding);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function stop(problem) {
  console.error(problem);
  process.exit(1);
}
