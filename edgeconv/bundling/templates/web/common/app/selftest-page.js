/** The page of the self-test: its title becomes PASS or FAIL, its rows lie in the page as JSON. */

import { labels, outputs } from "./contract.mjs";
import { prepared } from "./inputs.mjs";
import { openInWorker } from "./model-in-worker.js";
import { cellsOf, columns } from "./sample-cells.js";
import { parseSamples } from "./samples.mjs";
import { judge, trySample } from "./verdicts.mjs";

/** More rows than anybody reads would only slow the page down. */
const MOST_ROWS = 32;

/** The names of what may be off. */
const judged = outputs.concat(prepared ?? []);

const element = (id) => document.getElementById(id);

try {
  conclude(await run());
} catch (error) {
  conclude({ passed: false, verdict: [`FAIL: ${error.message}`] });
}

async function run() {
  await showVersion();
  const [model, { samples, limits }] = await Promise.all([
    openInWorker(),
    loadSamples(),
  ]);
  element("device").textContent = model.where && `Run on ${model.where}.`;
  const tried = [];
  for (const sample of samples) {
    tried.push(await trySample(model, sample, tried.length, limits));
    element("progress").value = tried.length / samples.length;
  }
  const rows = tried.map(({ row }) => row);
  keepRows(rows);
  showSamples(samples, tried, limits);
  return judge(rows, limits);
}

/** Says which model is tested: a browser may keep one of the same name. */
async function showVersion() {
  const bytes = await download("BUNDLE_MODEL_FILE");
  // Only pages that come by HTTPS, or from this machine, can compute one.
  if (!crypto.subtle) return;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const hex = Array.from(new Uint8Array(digest), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  element("version").textContent = `SHA-256 ${hex.join("")}`;
}

/** Takes other samples of this origin with `?samples=URL`. */
async function loadSamples() {
  const asked = new URLSearchParams(location.search).get("samples");
  const url = new URL(asked ?? "BUNDLE_SELFTEST_FILE", location.href);
  if (url.origin !== location.origin)
    throw new Error("Samples have to come from this page's own origin.");
  const name = url.pathname.split("/").at(-1);
  return parseSamples(new Uint8Array(await download(url)), name);
}

/** What the server has now: not what the browser kept of a server that was there before. */
async function download(url) {
  const response = await fetch(url, { cache: "reload" }).catch(() => null);
  if (!response?.ok) throw new Error(`${url} cannot be downloaded.`);
  return response.arrayBuffer();
}

function conclude({ passed, verdict }) {
  element("progress").hidden = true;
  element("verdict").textContent = passed ? "PASS" : "FAIL";
  element("verdict").className = passed ? "pass" : "fail";
  element("findings").replaceChildren(
    ...verdict.map((words) => create("p", words.replace(/^(PASS|FAIL): /, ""))),
  );
  document.title = passed ? "PASS" : "FAIL";
}

function keepRows(rows) {
  const script = create("script", JSON.stringify(rows));
  script.type = "application/json";
  script.id = "rows";
  document.body.append(script);
}

/** Shows the samples, those that are off first. */
function showSamples(samples, tried, limits) {
  const errors = judged.map((name) =>
    name === prepared ? "Error, grey levels" : `Error of ${name}`,
  );
  element("columns").replaceChildren(
    ...["No.", ...columns, ...errors].map((words) => newHead(words, "col")),
  );
  const isOff = ({ row }) =>
    judged.some((name) => isAbove(row.errors[name], limits[name]));
  const order = [...tried.keys()].sort(
    (one, other) => isOff(tried[other]) - isOff(tried[one]),
  );
  const shown = order.slice(0, MOST_ROWS);
  element("samples").replaceChildren(
    ...shown.map((index) => newRow(samples[index], tried[index], limits)),
  );
  const left = order.length - shown.length;
  element("left-out").textContent = left ? `${left} more are not shown.` : "";
  element("details").hidden = false;
}

function newRow(sample, { row, arrays }, limits) {
  const name = labels[row.label];
  const number =
    name === undefined ? row.sample : `${row.sample}\u00a0(${name})`;
  const line = create("tr", "");
  line.append(
    newHead(String(number), "row"),
    ...cellsOf(sample, arrays),
    ...judged.map((output) => newError(row.errors[output], limits[output])),
  );
  return line;
}

function newHead(words, scope) {
  const head = create("th", words);
  head.scope = scope;
  return head;
}

function newError(error, limit) {
  const words =
    error === null ? "not reached" : String(Number(error.toPrecision(3)));
  const cell = create("td", words);
  if (isAbove(error, limit)) cell.className = "fail";
  return cell;
}

function isAbove(error, { largest }) {
  return error === null || error > largest;
}

function create(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}
