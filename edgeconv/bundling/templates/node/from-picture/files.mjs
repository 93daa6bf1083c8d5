/** The file that `predict.mjs` writes of an answer: there is none. */
export const fileOf = null;
export const ending = "";
