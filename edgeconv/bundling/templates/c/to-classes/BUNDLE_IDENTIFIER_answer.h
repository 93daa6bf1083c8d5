/*
 * What the numbers of BUNDLE_IDENTIFIER_predict mean: the probability of each class.
 *
 *     float probabilities[BUNDLE_GUARD_LABELS];
 *     ...
 *     const int best = BUNDLE_IDENTIFIER_best(probabilities);
 *     puts(best < 0 ? "nothing found in the picture" : BUNDLE_IDENTIFIER_label(best));
 */
#ifndef BUNDLE_GUARD_ANSWER_H
#define BUNDLE_GUARD_ANSWER_H

#include "BUNDLE_IDENTIFIER_picture.h"

/* The index of the likeliest class; -1 where nothing was found in the picture. */
static inline int BUNDLE_IDENTIFIER_best(const float *probabilities) {
    int best = -1;
    float most = 0;
    for (int index = 0; index < BUNDLE_GUARD_LABELS; index++) {
        if (probabilities[index] > most) {
            most = probabilities[index];
            best = index;
        }
    }
    return best;
}

#endif
