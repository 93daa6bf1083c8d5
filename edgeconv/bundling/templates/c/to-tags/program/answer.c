#include "answer.h"

#include "../BUNDLE_IDENTIFIER_answer.h"
#include "json.h"

#include <stdio.h>

/* The likeliest tag behind `before` that reaches the threshold; -1 where there is none. */
static int next_tag(const float *probabilities, int before) {
    int best = -1;
    for (int i = 0; i < BUNDLE_GUARD_LABELS; i++) {
        const bool behind = before < 0 || probabilities[i] < probabilities[before] ||
                            (probabilities[i] == probabilities[before] && i > before);
        if (behind && BUNDLE_IDENTIFIER_reaches(probabilities[i]) &&
            (best < 0 || probabilities[i] > probabilities[best])) {
            best = i;
        }
    }
    return best;
}

bool print_answer(const char *path, const BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    (void)error, (void)error_size; /* nothing fails here */
    const float *probabilities = outputs[0].data;
    printf("{\"path\": ");
    json_string(path);
    printf(", \"tags\": [");
    for (int tag = next_tag(probabilities, -1), first = 1; tag >= 0; tag = next_tag(probabilities, tag), first = 0) {
        printf(first ? "" : ", ");
        json_string(BUNDLE_IDENTIFIER_label(tag));
    }
    printf("], \"scores\": [");
    for (int index = 0; index < BUNDLE_GUARD_LABELS; index++) {
        printf(index == 0 ? "{\"label\": " : ", {\"label\": ");
        json_string(BUNDLE_IDENTIFIER_label(index));
        printf(", \"index\": %d, \"probability\": ", index);
        json_number((double)probabilities[index]);
        printf("}");
    }
    printf("], \"threshold\": ");
    json_number(BUNDLE_GUARD_THRESHOLD);
    printf("}\n");
    return true;
}
