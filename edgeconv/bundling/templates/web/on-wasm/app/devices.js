/**
 * Where the model can run, the best first.
 *
 * @type {{ name: string, title: string, runtime: string }[]}
 */
export const devices = [
  {
    name: "wasm",
    title: "",
    runtime: "./ort/ort.wasm.bundle.min.mjs",
  },
];
