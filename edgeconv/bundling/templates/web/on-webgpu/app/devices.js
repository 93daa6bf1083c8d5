/**
 * Where the model can run, the best first.
 *
 * @type {{ name: string, title: string, runtime: string }[]}
 */
export const devices = [
  {
    name: "webgpu",
    title: "WebGPU",
    runtime: "./ort/ort.webgpu.bundle.min.mjs",
  },
  {
    name: "wasm",
    title: "the CPU",
    runtime: "./ort/ort.wasm.bundle.min.mjs",
  },
];
