/* predict [--model FILE] PICTURE...: prints a JSON row a picture. */
#include "answer.h"
#include "json.h"
#include "numbers.h"
#include "picture.h"

#include <stdio.h>
#include <string.h>

static bool predict(const BUNDLE_IDENTIFIER_model *model, const char *path) {
    char error[BUNDLE_GUARD_ERROR_SIZE];
    BUNDLE_IDENTIFIER_array outputs[BUNDLE_GUARD_OUTPUTS] = {{0}};
    picture seen;
    bool answered =
        read_picture(path, &seen, error, sizeof error) &&
        BUNDLE_IDENTIFIER_run_picture(
            model, seen.pixels, seen.height, seen.width, seen.channels, outputs, error, sizeof error);
    free_picture(&seen);
    if (answered && !BUNDLE_IDENTIFIER_found(outputs)) {
        snprintf(error, sizeof error, "%s: nothing was found in the picture", path);
        answered = false;
    }
    if (answered && !finite_numbers(outputs, BUNDLE_GUARD_OUTPUTS)) {
        snprintf(error, sizeof error, "%s: the model answers NaN or infinity", path);
        answered = false;
    }
    answered = answered && print_answer(path, outputs, error, sizeof error);
    BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
    return answered || !complain(error);
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
        return complain(error);
    }
    int failed = 0;
    for (int i = first; i < count; i++) {
        failed |= !predict(model, arguments[i]);
    }
    BUNDLE_IDENTIFIER_close(model);
    return failed | check_stdout();
}
