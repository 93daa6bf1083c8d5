/* predict [--model FILE] ARRAY.npy...: runs the model once, on a file for each input in the order of README.md, and
 * prints its outputs as JSON. */
#include "json.h"
#include "npy.h"
#include "numbers.h"

#include <stdio.h>
#include <string.h>

static bool predict(const BUNDLE_IDENTIFIER_model *model, char **paths, char *error, size_t error_size) {
    BUNDLE_IDENTIFIER_array inputs[BUNDLE_GUARD_INPUTS] = {{0}}, outputs[BUNDLE_GUARD_OUTPUTS];
    bool answered = true;
    for (int i = 0; i < BUNDLE_GUARD_INPUTS && answered; i++) {
        answered = read_npy(paths[i], &inputs[i], error, error_size);
    }
    answered = answered && BUNDLE_IDENTIFIER_run(model, inputs, outputs, error, error_size);
    BUNDLE_IDENTIFIER_free_arrays(inputs, BUNDLE_GUARD_INPUTS);
    if (answered && !finite_numbers(outputs, BUNDLE_GUARD_OUTPUTS)) {
        snprintf(error, error_size, "The model must answer with finite numbers. Received: NaN or infinity.");
        BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
        return false;
    }
    if (answered) {
        printf("{\"outputs\": ");
        json_outputs(outputs, BUNDLE_GUARD_OUTPUTS);
        printf("}\n");
        BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
    }
    return answered;
}

int main(int count, char **arguments) {
    const bool named = count > 2 && strcmp(arguments[1], "--model") == 0;
    const int first = named ? 3 : 1;
    if (count - first != BUNDLE_GUARD_INPUTS || arguments[first][0] == '-') {
        fprintf(stderr, "Usage: predict [--model FILE] ARRAY.npy (%d of them)\n", BUNDLE_GUARD_INPUTS);
        return 2;
    }
    char error[BUNDLE_GUARD_ERROR_SIZE];
    BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open(named ? arguments[2] : MODEL_FILE, error, sizeof error);
    const bool answered = model != NULL && predict(model, arguments + first, error, sizeof error);
    BUNDLE_IDENTIFIER_close(model);
    return answered ? check_stdout() : complain(error);
}
