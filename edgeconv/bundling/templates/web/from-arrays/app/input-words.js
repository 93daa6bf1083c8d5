/** Type and shape of each array that goes in. */
BUNDLE_INPUT_WORDS_JAVASCRIPT
