/*
 * What the one number of BUNDLE_IDENTIFIER_predict means: the probability of a yes.
 *
 *     float probability;
 *     ...
 *     puts(BUNDLE_IDENTIFIER_label(BUNDLE_IDENTIFIER_reaches(probability)));
 */
#ifndef BUNDLE_GUARD_ANSWER_H
#define BUNDLE_GUARD_ANSWER_H

#include "BUNDLE_IDENTIFIER_picture.h"

#define BUNDLE_GUARD_THRESHOLD BUNDLE_THRESHOLD

/* Whether a probability is answered with yes, whose label is the second. */
static inline bool BUNDLE_IDENTIFIER_reaches(float probability) {
    return (double)probability >= BUNDLE_GUARD_THRESHOLD;
}

#endif
