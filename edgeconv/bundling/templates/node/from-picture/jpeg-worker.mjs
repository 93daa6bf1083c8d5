/** Decodes a JPEG in a thread of its own: what that took is free when it ends. */
import { parentPort, workerData } from "node:worker_threads";
import loadTurbo from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs";
import { scaleToFit } from "./scaling.mjs";

const turbo = await loadTurbo();
const decoder = new turbo.JPEGDecoder();
decoder.getEncodedBuffer(workerData.length).set(workerData);
decoder.decode();
const { width, height, componentCount: channels } = decoder.getFrameInfo();
const data = decoder.getDecodedBuffer();
const picture = scaleToFit({ data, width, height, channels });
parentPort.postMessage(picture, [picture.data.buffer]);
