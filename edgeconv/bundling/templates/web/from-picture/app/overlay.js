/** What is drawn over the picture that the net sees: nothing. */

export const caption = "The prepared picture";

export const isLarge = false;

export function drawOver() {}
