/** The page of the self-test: its title becomes PASS or FAIL, its rows lie in the page as JSON. */

import { showPrepared } from "./answer.js";
import { labels } from "./contract.js";
import { openInWorker } from "./model-in-worker.js";
import { judge, readSamples, runSample } from "./selftest.js";

/** More rows than anybody reads would only slow the page down. */
const MOST_ROWS = 32;

const element = (id) => document.getElementById(id);

try {
  conclude(await run());
} catch (error) {
  conclude({ passed: false, findings: [`FAIL: ${error.message}`] });
}

async function run() {
  const [model, { samples, limits }] = await Promise.all([
    openInWorker(),
    loadSamples(),
  ]);
  const results = [];
  for (const sample of samples) {
    results.push(await runSample(model, sample, limits.prepared));
    element("progress").value = results.length / samples.length;
  }
  keepRows(results);
  showSamples(samples, results, limits);
  return judge(results, limits);
}

/** Takes other samples of this origin with `?samples=URL`. */
async function loadSamples() {
  const asked = new URLSearchParams(location.search).get("samples");
  const url = new URL(asked ?? "BUNDLE_SELFTEST_FILE", location.href);
  if (url.origin !== location.origin)
    throw new Error("Samples have to come from this page's own origin.");
  const response = await fetch(url).catch(() => null);
  if (!response?.ok)
    throw new Error(`The samples cannot be downloaded from ${url.pathname}.`);
  return readSamples(await response.arrayBuffer());
}

function conclude({ passed, findings }) {
  element("progress").hidden = true;
  element("verdict").textContent = passed ? "PASS" : "FAIL";
  element("verdict").className = passed ? "pass" : "fail";
  element("findings").replaceChildren(
    ...findings.map((words) =>
      create("p", words.replace(/^(PASS|FAIL): /, "")),
    ),
  );
  document.title = passed ? "PASS" : "FAIL";
}

function keepRows(results) {
  const rows = results.map((result, sample) => ({
    sample,
    label: result.label,
    prepared_error: result.preparedError,
    probability_error: result.probabilityError,
    probabilities: [...result.probabilities],
  }));
  const script = create("script", JSON.stringify(rows));
  script.type = "application/json";
  script.id = "rows";
  document.body.append(script);
}

/** Shows the samples, those that are off first. */
function showSamples(samples, results, limits) {
  const isOff = ({ preparedError, probabilityError }) =>
    preparedError > limits.prepared ||
    probabilityError === null ||
    probabilityError > limits.probabilities;
  const order = [...results.keys()].sort(
    (one, other) => isOff(results[other]) - isOff(results[one]),
  );
  const shown = order.slice(0, MOST_ROWS);
  element("samples").replaceChildren(
    ...shown.map((index) =>
      newRow(index, samples[index], results[index], limits),
    ),
  );
  const left = order.length - shown.length;
  element("left-out").textContent = left ? `${left} more are not shown.` : "";
  element("details").hidden = false;
}

function newRow(number, sample, result, limits) {
  const { preparedError, probabilityError } = result;
  const row = create("tr", "");
  row.append(
    create("th", String(number)),
    create("td", labels[sample.label] ?? "–"),
    newImage(sample.prepared),
    newImage(result.prepared),
    newError(preparedError, limits.prepared, String(preparedError)),
    newError(
      probabilityError,
      limits.probabilities,
      probabilityError?.toFixed(4) ?? "not reached",
    ),
  );
  row.firstChild.scope = "row";
  return row;
}

function newImage(prepared) {
  const cell = create("td", "");
  const canvas = create("canvas", "");
  showPrepared(prepared, canvas);
  cell.append(canvas);
  return cell;
}

function newError(error, limit, words) {
  const cell = create("td", words);
  if (error === null || error > limit) cell.className = "fail";
  return cell;
}

function create(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}
