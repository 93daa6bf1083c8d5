/** What the page of the self-test shows of a sample: the picture that the net should see, and the one that it saw. */

import { prepared } from "./inputs.mjs";
import { showPrepared } from "./prepared.js";

export const columns = ["Expected", "Got"];

/** Return a cell for each column. */
export function cellsOf(sample, arrays) {
  return [sample.outputs, arrays].map((found) => {
    const cell = document.createElement("td");
    const canvas = document.createElement("canvas");
    showPrepared(found[prepared], canvas);
    cell.append(canvas);
    return cell;
  });
}
