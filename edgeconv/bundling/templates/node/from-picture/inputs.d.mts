/** Rows, columns and channels of what the model makes of every picture. */
export declare const preparedShape: readonly [
  height: number,
  width: number,
  channels: number,
];

/** Raw pixels, row by row, of a picture of any size. */
export interface Picture {
  /** height * width * channels bytes, 0-255. */
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
  /** 1 is grey, 3 are RGB, 4 RGB and straight alpha. */
  channels: 1 | 3 | 4;
}

/** What `predict` takes. */
export type Source = Picture;
