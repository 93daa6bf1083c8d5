/** The page: takes a file for each array that the model takes, and shows what comes out. */

import { inputs } from "./contract.mjs";
import { listenForDrops } from "./dropping.js";
import { inputWords } from "./input-words.js";
import { openInWorker } from "./model-in-worker.js";
import { parseArray } from "./npy.mjs";
import { keepOffline } from "./offline.js";
import { showRows } from "./rows.js";
import { rowsOf, title, wordsOf } from "./view.js";

const LOADING = "Loading the model…";

const element = (id) => document.getElementById(id);

/** What was chosen, by the names of the inputs. */
const arrays = {};
let model = null;

start();

async function start() {
  element("inputs").append(...inputs.map(newInput));
  listenForDrops(distribute, () => complain("That was no file."));
  element("run").addEventListener("click", run);
  say("", LOADING);
  try {
    model = await openInWorker();
  } catch (error) {
    say("", "The model is not there.");
    return complain(error.message);
  }
  update();
  element("offline").hidden = !(await keepOffline());
  return null;
}

function newInput(name, place) {
  const [row, label, type, file, got] = ["li", "label", "p", "input", "p"].map(
    (tag) => document.createElement(tag),
  );
  file.id = `input-${place}`;
  file.type = "file";
  file.accept = ".npy";
  file.addEventListener("change", () => {
    if (file.files.length) take(name, file.files[0]);
    file.value = ""; // the same file may be chosen again
  });
  label.htmlFor = file.id;
  label.textContent = name;
  type.id = `type-${place}`;
  type.textContent = inputWords[place];
  got.id = `got-${place}`;
  file.setAttribute("aria-describedby", `${type.id} ${got.id}`);
  row.append(file, label, type, got);
  return row;
}

/** Gives each file to the input of its name, or to the next that has none yet. */
async function distribute(files) {
  for (const file of files) {
    const stem = file.name.replace(/\.npy$/i, "");
    const free = inputs.find((name) => !(name in arrays)) ?? inputs[0];
    if (!(await take(inputs.includes(stem) ? stem : free, file))) return;
  }
}

async function take(name, file) {
  complain("");
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    arrays[name] = parseArray(bytes, file.name);
  } catch (error) {
    complain(error.message);
    return false;
  }
  const { type, dims } = arrays[name];
  const got = `${file.name}: ${type} (${dims.join(", ")})`;
  element(`got-${inputs.indexOf(name)}`).textContent = got;
  update();
  return true;
}

function update() {
  const missing = inputs.filter((name) => !(name in arrays));
  element("run").disabled = model === null || missing.length > 0;
  if (model === null) return;
  const words = missing.length
    ? `Waiting for ${missing.join(", ")}.`
    : "Ready to run.";
  say("", words);
}

async function run() {
  complain("");
  element("run").disabled = true;
  try {
    const { answer, milliseconds, where } = await model.predict(arrays);
    const { label, words } = wordsOf(answer);
    say(label, words);
    showRows(title, rowsOf(answer));
    element("milliseconds").textContent =
      `Answered in ${Math.ceil(milliseconds)}\u00a0ms${where ? ` on ${where}` : ""}`;
  } catch (error) {
    complain(`The arrays do not fit the model: ${error.message}`);
  }
  element("run").disabled = false;
}

function say(label, words) {
  document.body.classList.toggle("waiting", !label);
  element("label").textContent = label;
  element("sure").textContent = words;
}

function complain(words) {
  element("problem").textContent = words;
}
