/** The page: takes drawings and pictures, and shows what the model says. */

import { showAnswer, showNothing } from "./answer.js";
import { listenForDrops } from "./dropping.js";
import { preparedShape } from "./inputs.mjs";
import { openInWorker } from "./model-in-worker.js";
import { keepOffline } from "./offline.js";
import { pixelsOf, readPicture } from "./picture.js";
import { Stage } from "./stage.js";

const element = (id) => document.getElementById(id);

const [height, width, channels] = preparedShape;

/** What a pen draws is grey: a model that wants colours gets pictures alone. */
const hasPen = channels === 1;
/** Drawings have some pixels more than the net sees, so that lines come out smooth. */
const zoom = Math.max(2, 140 / Math.max(height, width));

const LOADING = "Loading the model…";
const READY = "Ready when you are.";

const stage = new Stage(element("stage"), hasPen ? drawn : null);
let model = null;
/** The picture to look at next; a newer one takes its place. */
let next = null;
let looking = false;

start();

async function start() {
  element("stage").style.aspectRatio = `${width} / ${height}`;
  element("undo").hidden = !hasPen;
  document.body.classList.toggle("has-pen", hasPen);
  if (!hasPen)
    element("stage").addEventListener("click", () => element("file").click());
  listen();
  showNothing(LOADING);
  try {
    model = await openInWorker();
  } catch (error) {
    showNothing("The model is not there.");
    return complain(error.message);
  }
  if (next) {
    look();
  } else {
    showNothing(READY);
    // The first run is slower than others: best while nobody waits. What fails fails again, and is said then.
    const data = new Uint8Array(140 * 140).fill(255);
    const blank = { data, height: 140, width: 140, channels: 1 };
    model.predict(blank).catch(() => {});
  }
  element("offline").hidden = !(await keepOffline());
}

function listen() {
  element("file").addEventListener("change", ({ target }) => {
    if (target.files.length) take(target.files);
    target.value = ""; // the same file may be chosen again
  });
  element("undo").addEventListener("click", () => {
    stage.undo();
    drawn();
  });
  element("clear").addEventListener("click", clear);
  addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData.files.length) take(clipboardData.files);
    else complain("There is no picture on the clipboard.");
  });
  listenForDrops(take, () =>
    complain("That was no file. Save the picture, and drop its file."),
  );
}

async function take([file]) {
  complain("");
  try {
    const { canvas, note } = await readPicture(file);
    stage.show(canvas);
    describe(`Picture: ${file.name}`);
    ask(pixelsOf(canvas), note);
  } catch (error) {
    complain(error.message);
  }
}

function drawn() {
  if (!stage.canUndo) return clear();
  complain("");
  describe("Your drawing");
  const drawing = stage.drawing(
    Math.round(width * zoom),
    Math.round(height * zoom),
  );
  try {
    ask(pixelsOf(drawing), "");
  } catch (error) {
    complain(error.message);
  }
}

function clear() {
  next = null;
  stage.clear();
  describe("Nothing is drawn or chosen yet");
  complain("");
  update();
  showNothing(model ? READY : LOADING);
}

function ask(picture, note) {
  next = { picture, note };
  update();
  if (model && !looking) look();
}

/** Looks at the newest picture until there is no newer one. */
async function look() {
  looking = true;
  while (next) {
    const asked = next;
    try {
      const prediction = await model.predict(asked.picture);
      if (next !== asked) continue;
      showAnswer(prediction, asked.note);
    } catch (error) {
      complain(error.message);
    }
    if (next === asked) next = null;
  }
  looking = false;
}

function update() {
  document.body.classList.toggle("empty", stage.isEmpty);
  element("undo").disabled = !stage.canUndo;
  element("clear").disabled = stage.isEmpty;
}

function describe(words) {
  element("stage").setAttribute("aria-label", words);
}

function complain(words) {
  element("problem").textContent = words;
}
