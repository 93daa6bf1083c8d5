/** The stage: a pen draws on it, or a picture is shown on it. */

/** Width of the pen, as a share of the stage's shorter side. */
const PEN = 0.08;

export class Stage {
  #canvas;
  #strokes = [];
  #picture = null;
  #onDrawn;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(() => void) | null} onDrawn called after each stroke; null for a stage without a pen
   */
  constructor(canvas, onDrawn) {
    this.#canvas = canvas;
    this.#onDrawn = onDrawn;
    if (onDrawn) this.#listen();
    new ResizeObserver(() => this.#fit()).observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#paint());
  }

  get isEmpty() {
    return this.#strokes.length === 0 && this.#picture === null;
  }

  get canUndo() {
    return this.#strokes.length > 0;
  }

  clear() {
    this.#strokes = [];
    this.#picture = null;
    this.#paint();
  }

  undo() {
    this.#strokes.pop();
    this.#paint();
  }

  /** @param {OffscreenCanvas} picture */
  show(picture) {
    this.#strokes = [];
    this.#picture = picture;
    this.#paint();
  }

  /**
   * Draws what the pen drew once more, in opaque white on black.
   *
   * @param {number} width
   * @param {number} height
   * @returns {OffscreenCanvas}
   */
  drawing(width, height) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "black";
    context.fillRect(0, 0, width, height);
    this.#drawStrokes(context, "white");
    return canvas;
  }

  #listen() {
    const canvas = this.#canvas;
    let pen = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (pen !== null || event.button !== 0) return;
      pen = event.pointerId;
      canvas.setPointerCapture(pen);
      this.#picture = null;
      this.#strokes.push([this.#place(event)]);
      this.#paint();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== pen) return;
      const moves = event.getCoalescedEvents?.() ?? [];
      const places = (moves.length ? moves : [event]).map((move) =>
        this.#place(move),
      );
      this.#strokes.at(-1)?.push(...places);
      this.#paint();
    });
    for (const type of ["pointerup", "pointercancel"])
      canvas.addEventListener(type, (event) => {
        if (event.pointerId !== pen) return;
        pen = null;
        this.#onDrawn();
      });
  }

  /** Where on the stage, from 0 to 1. */
  #place({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  /** Gives the canvas as many pixels as the screen has there. */
  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#paint();
  }

  #paint() {
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (this.#picture) this.#drawPicture(context);
    else this.#drawStrokes(context, getComputedStyle(this.#canvas).color);
  }

  #drawPicture(context) {
    const { width, height } = this.#canvas;
    const picture = this.#picture;
    const scale = Math.min(width / picture.width, height / picture.height);
    const [across, down] = [picture.width * scale, picture.height * scale];
    context.imageSmoothingQuality = "high";
    context.drawImage(
      picture,
      (width - across) / 2,
      (height - down) / 2,
      across,
      down,
    );
  }

  #drawStrokes(context, colour) {
    const { width, height } = context.canvas;
    context.strokeStyle = colour;
    context.lineWidth = Math.min(width, height) * PEN;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of this.#strokes) {
      const places = stroke.map(([x, y]) => [x * width, y * height]);
      context.beginPath();
      context.moveTo(...places[0]);
      // Curves through the middles of the segments: no corners where the pen was fast.
      for (let next = 1; next < places.length; next++) {
        const [x, y] = places[next - 1];
        const [right, below] = places[next];
        context.quadraticCurveTo(x, y, (x + right) / 2, (y + below) / 2);
      }
      context.lineTo(...places.at(-1));
      context.stroke();
    }
  }
}
