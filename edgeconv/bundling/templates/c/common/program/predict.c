/* predict [--model FILE] PICTURE...: prints a JSON row a picture. */
#include "../BUNDLE_IDENTIFIER.h"
#include "json.h"
#include "picture.h"

#include <stdio.h>
#include <string.h>

enum {
    TOP = BUNDLE_GUARD_CLASSES < 3 ? BUNDLE_GUARD_CLASSES : 3
};

/* The likeliest class whose place is behind that of `before`; the first of equals comes first. */
static int next_best(const float *probabilities, int before) {
    int best = -1;
    for (int i = 0; i < BUNDLE_GUARD_CLASSES; i++) {
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

static void print_row(const char *path, const float *probabilities) {
    printf("{\"path\": ");
    json_string(path);
    printf(", ");
    print_score(probabilities, BUNDLE_IDENTIFIER_best(probabilities));
    printf(", \"top\": [");
    for (int place = 0, index = -1; place < TOP; place++) {
        index = next_best(probabilities, index);
        printf(place == 0 ? "{" : ", {");
        print_score(probabilities, index);
        printf("}");
    }
    printf("]}\n");
}

static bool answer(const BUNDLE_IDENTIFIER_model *model, const char *path) {
    char error[BUNDLE_GUARD_ERROR_SIZE];
    float probabilities[BUNDLE_GUARD_CLASSES];
    picture seen;
    bool answered =
        read_picture(path, &seen, error, sizeof error) &&
        BUNDLE_IDENTIFIER_predict(model, seen.pixels, seen.height, seen.width, seen.channels,
            probabilities, error, sizeof error);
    free_picture(&seen);
    if (answered && BUNDLE_IDENTIFIER_best(probabilities) < 0) {
        snprintf(error, sizeof error, "%s: nothing was found in the picture", path);
        answered = false;
    }
    if (answered) {
        print_row(path, probabilities);
    } else {
        fprintf(stderr, "Error: %s\n", error);
    }
    return answered;
}

int main(int count, char **arguments) {
    const bool named = count > 2 && strcmp(arguments[1], "--model") == 0;
    const char *file = named ? arguments[2] : MODEL_FILE;
    const int first = named ? 3 : 1;
    if (first >= count || arguments[first][0] == '-') {
        fprintf(stderr, "Usage: predict [--model FILE] PICTURE...\n");
        return 2;
    }
    char error[BUNDLE_GUARD_ERROR_SIZE];
    BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open(file, error, sizeof error);
    if (model == NULL) {
        fprintf(stderr, "Error: %s\n", error);
        return 1;
    }
    int failed = 0;
    for (int i = first; i < count; i++) {
        failed |= !answer(model, arguments[i]);
    }
    BUNDLE_IDENTIFIER_close(model);
    return failed;
}
