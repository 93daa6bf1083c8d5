/** Shows the arrays that come out. */

import { outputs } from "./contract.mjs";

export const title = "Outputs";

/** Return the answer as it is read out. */
export function wordsOf() {
  const [count, whose] =
    outputs.length === 1
      ? ["1 output", "Its"]
      : [`${outputs.length} outputs`, "Their"];
  return {
    label: count,
    words: `${whose} first numbers are in the table; the download has all.`,
  };
}

/** Return the arrays with their names; of no answer, none. */
export function rowsOf(answer) {
  return answer ? outputs.map((name) => ({ name, ...answer[name] })) : [];
}
