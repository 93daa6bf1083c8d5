#include "answer.h"

#include "../BUNDLE_IDENTIFIER_answer.h"
#include "json.h"

#include <stdio.h>

enum {
    TOP = BUNDLE_GUARD_LABELS < 3 ? BUNDLE_GUARD_LABELS : 3
};

/* The likeliest class whose place is behind that of `before`; the first of equals comes first. */
static int next_best(const float *probabilities, int before) {
    int best = -1;
    for (int i = 0; i < BUNDLE_GUARD_LABELS; i++) {
        const bool behind = before < 0 || probabilities[i] < probabilities[before] ||
                            (probabilities[i] == probabilities[before] && i > before);
        if (behind && (best < 0 || probabilities[i] > probabilities[best])) {
            best = i;
        }
    }
    return best;
}

static void print_score(const float *probabilities, int index) {
    printf("\"label\": ");
    json_string(BUNDLE_IDENTIFIER_label(index));
    printf(", \"index\": %d, \"probability\": ", index);
    json_number((double)probabilities[index]);
}

bool print_answer(const char *path, const BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    const float *probabilities = outputs[0].data;
    const int best = BUNDLE_IDENTIFIER_best(probabilities);
    if (best < 0) {
        snprintf(error, error_size, "%s: no class has a probability", path);
        return false;
    }
    printf("{\"path\": ");
    json_string(path);
    printf(", ");
    print_score(probabilities, best);
    printf(", \"top\": [");
    for (int place = 0, index = -1; place < TOP; place++) {
        index = next_best(probabilities, index);
        printf(place == 0 ? "{" : ", {");
        print_score(probabilities, index);
        printf("}");
    }
    printf("]}\n");
    return true;
}
