/** Prints what strangers named; what steers a terminal is escaped as JSON escapes it. */
import { jsonOf } from "./numbers.mjs";

/** Controls, formats, ends of lines and paragraphs; not the joiners that words and emoji are written with. */
const steering = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

// Where nobody reads on, end without a word, as other programs do.
process.stdout.on("error", ({ code }) => {
  if (code !== "EPIPE") {
    complain(`Error: stdout cannot be written to: ${code}`);
  }
  process.exit(1);
});

/** Print words on a line of stderr. */
export function complain(words) {
  console.error(printable(words));
}

/** Print a row of JSON. */
export function printRow(row) {
  printLine(printable(jsonOf(row)));
}

/** Print a line on stdout, and notice where that fails; console.log does not. */
export function printLine(text) {
  process.stdout.write(`${text}\n`);
}

function printable(text) {
  return text.replace(steering, (sign) =>
    sign
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
