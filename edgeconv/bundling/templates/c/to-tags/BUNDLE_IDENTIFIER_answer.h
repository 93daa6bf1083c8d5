/*
 * What the numbers of BUNDLE_IDENTIFIER_predict mean: the probability of each tag, which stands alone.
 *
 *     float probabilities[BUNDLE_GUARD_LABELS];
 *     ...
 *     for (int index = 0; index < BUNDLE_GUARD_LABELS; index++) {
 *         if (BUNDLE_IDENTIFIER_reaches(probabilities[index])) {
 *             puts(BUNDLE_IDENTIFIER_label(index));
 *         }
 *     }
 */
#ifndef BUNDLE_GUARD_ANSWER_H
#define BUNDLE_GUARD_ANSWER_H

#include "BUNDLE_IDENTIFIER_picture.h"

#define BUNDLE_GUARD_THRESHOLD BUNDLE_THRESHOLD

/* Whether a tag of this probability is answered. */
static inline bool BUNDLE_IDENTIFIER_reaches(float probability) {
    return (double)probability >= BUNDLE_GUARD_THRESHOLD;
}

#endif
