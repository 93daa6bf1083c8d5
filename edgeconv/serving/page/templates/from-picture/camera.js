/** Takes a picture with the camera, and gives it to the page as a file that was chosen. */

const element = (id) => document.getElementById(id);

const dialog = element("viewfinder");
const video = element("video");

/** Without HTTPS a page gets no stream, but a phone takes a picture all the same. */
const streams = Boolean(navigator.mediaDevices?.getUserMedia);

const button = document.createElement("button");
button.id = "camera";
button.type = "button";
button.textContent = "Camera";
button.addEventListener("click", open);
document.querySelector('label[for="file"]').after(button);

element("shutter").addEventListener("click", take);
element("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", stop);

async function open() {
  if (!streams) return askThePhone();
  try {
    const wanted = { video: { facingMode: "environment" } };
    video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
  } catch {
    element("problem").textContent =
      "There is no camera, or this page may not use it. Choose a picture.";
    return null;
  }
  dialog.showModal();
  return video.play();
}

function askThePhone() {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.capture = "environment";
  input.addEventListener("change", () => give(input.files[0]));
  input.click();
}

async function take() {
  const { videoWidth: width, videoHeight: height } = video;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").drawImage(video, 0, 0);
  const content = await canvas.convertToBlob({ type: "image/png" });
  dialog.close();
  give(new File([content], "camera.png", { type: "image/png" }));
}

function stop() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

function give(file) {
  const chosen = new DataTransfer();
  chosen.items.add(file);
  element("file").files = chosen.files;
  element("file").dispatchEvent(new Event("change"));
}
