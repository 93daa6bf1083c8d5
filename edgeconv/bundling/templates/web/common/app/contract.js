/**
 * What BUNDLE_NAME takes and answers.
 * It BUNDLE_PREPARATION.
 */

/** Rows, columns and channels (1 grey, 3 RGB) of what the net itself sees. */
export const height = BUNDLE_HEIGHT;
export const width = BUNDLE_WIDTH;
export const channels = BUNDLE_CHANNELS;

/** Names of the classes, by their index. */
BUNDLE_LABELS_JAVASCRIPT
