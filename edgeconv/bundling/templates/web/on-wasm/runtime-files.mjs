/** The files of ONNX Runtime Web 1.30.0 that the page takes, with their SHA-256. */
export const runtimeFiles = {
  "ort.wasm.bundle.min.mjs":
    "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
  "ort-wasm-simd-threaded.wasm":
    "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
};
