/* What the first array of BUNDLE_IDENTIFIER_run_picture means: the class of each pixel of what the net was fed. */
#ifndef BUNDLE_GUARD_ANSWER_H
#define BUNDLE_GUARD_ANSWER_H

#include "BUNDLE_IDENTIFIER_picture.h"

#define BUNDLE_GUARD_THRESHOLD BUNDLE_THRESHOLD

/* The class of a pixel, whose name is BUNDLE_IDENTIFIER_label's. `mask` is float, (1, height, width, maps); the pixel
 * of a row and a column is number row * width + column. */
static inline int BUNDLE_IDENTIFIER_class_at(const BUNDLE_IDENTIFIER_array *mask, size_t pixel) {
    const size_t maps = (size_t)mask->shape[3];
    const float *numbers = (const float *)mask->data + pixel * maps;
    int best = 0;
    if (maps == 1) {
        return (double)numbers[0] >= BUNDLE_GUARD_THRESHOLD;
    }
    for (size_t map = 1; map < maps; map++) {
        if (numbers[map] > numbers[best]) {
            best = (int)map;
        }
    }
    return best;
}

#endif
