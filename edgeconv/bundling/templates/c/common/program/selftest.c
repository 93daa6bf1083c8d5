/* selftest [FILE] [--rows] [--model MODEL]: does the model prepare and answer here as it did where it was made?
 * With --rows it prints a JSON row a sample to stdout. The verdict goes to stderr. */
#include "json.h"
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The largest difference so far. */
typedef struct {
    double error;
    uint32_t sample;
    int label;
    bool judged, off;
} worst;

typedef struct {
    const BUNDLE_IDENTIFIER_model *model;
    worst preparation, inference;
    bool rows;
} selftest;

static void consider(worst *so_far, double error, double tolerance, const samples *from, const sample *with) {
    if (!so_far->judged || error > so_far->error) {
        *so_far = (worst){error, from->read - 1, with->label, true, error > tolerance};
    }
}

static int prepared_error(const uint8_t *prepared, const sample *with) {
    int largest = 0;
    for (size_t i = 0; i < BUNDLE_GUARD_PREPARED_SIZE; i++) {
        const int error = abs(prepared[i] - with->prepared[i]);
        largest = error > largest ? error : largest;
    }
    return largest;
}

static double probability_error(const float *probabilities, const sample *with) {
    double largest = 0;
    for (size_t i = 0; i < BUNDLE_GUARD_CLASSES; i++) {
        const double error = fabs((double)probabilities[i] - (double)with->probabilities[i]);
        largest = isnan(error) ? INFINITY : fmax(error, largest);
    }
    return largest;
}

static void print_row(const samples *from, const sample *with, int preparation, double inference,
    const float *probabilities) {
    printf("{\"sample\": %u, \"label\": %d, \"prepared_error\": %d, \"probability_error\": ",
        (unsigned)(from->read - 1), with->label, preparation);
    json_number(inference);
    printf(", \"probabilities\": ");
    json_numbers(probabilities, BUNDLE_GUARD_CLASSES);
    printf("}\n");
}

/* Judges preparation and inference apart: inference only by a run in which the net was fed the golden
 * prepared picture. Where the preparation is off, that picture itself is the input: it passes through untouched. */
static bool judge(selftest *test, const samples *from, const sample *with, char *error, size_t error_size) {
    static uint8_t prepared[BUNDLE_GUARD_PREPARED_SIZE]; /* static: some stacks are small */
    float answer[BUNDLE_GUARD_CLASSES], again[BUNDLE_GUARD_CLASSES];
    if (!BUNDLE_IDENTIFIER_inspect(test->model, with->picture, with->height, with->width, with->channels,
            answer, prepared, error, error_size)) {
        return false;
    }
    const int preparation = prepared_error(prepared, with);
    const float *judged = answer;
    consider(&test->preparation, preparation, (double)from->prepared_tolerance, from, with);
    if ((float)preparation > from->prepared_tolerance) {
        if (!BUNDLE_IDENTIFIER_inspect(test->model, with->prepared, BUNDLE_GUARD_HEIGHT, BUNDLE_GUARD_WIDTH,
                BUNDLE_GUARD_CHANNELS, again, prepared, error, error_size)) {
            return false;
        }
        judged = (float)prepared_error(prepared, with) <= from->prepared_tolerance ? again : NULL;
    }
    const double inference = judged == NULL ? NAN : probability_error(judged, with);
    if (judged != NULL) {
        consider(&test->inference, inference, (double)from->probability_tolerance, from, with);
    }
    if (test->rows) {
        print_row(from, with, preparation, inference, answer);
    }
    return true;
}

static void print_failure(const char *what, const worst *found, const char *unit, double tolerance) {
    fprintf(stderr, "FAIL: %s is off: sample %u", what, (unsigned)found->sample);
    if (found->label >= 0) {
        fprintf(stderr, " (\"%s\")", BUNDLE_IDENTIFIER_label(found->label));
    }
    fprintf(stderr, " differs by %.3g%s, allowed are %.3g\n", found->error, unit, tolerance);
}

static int verdict(const selftest *test, const samples *from) {
    const double levels = (double)from->prepared_tolerance, most = (double)from->probability_tolerance;
    if (test->preparation.off) {
        print_failure("preparation", &test->preparation, " grey levels", levels);
    }
    if (test->inference.off) {
        print_failure("inference", &test->inference, "", most);
    }
    if (test->preparation.off || test->inference.off) {
        return 1;
    }
    fprintf(stderr, "PASS: %u samples; preparation within %g of %g grey levels, probabilities within %.3g of %.3g\n",
        (unsigned)from->count, test->preparation.error, levels, test->inference.error, most);
    return 0;
}

/* Reads all samples, and judges the model by them where there is a test. */
static bool go_through(const char *path, selftest *test, samples *from, char *error, size_t error_size) {
    static sample with; /* static: some stacks are small */
    samples_state state = SAMPLES_DAMAGED;
    if (open_samples(path, from, error, error_size)) {
        do {
            state = next_sample(from, &with, error, error_size);
        } while (state == SAMPLE_READ && (test == NULL || judge(test, from, &with, error, error_size)));
    }
    close_samples(from, &with);
    return state == SAMPLES_ENDED;
}

static int complain(const char *error) {
    fprintf(stderr, "Error: %s\n", error);
    return 1;
}

static int run(const char *path, const char *model_file, bool rows) {
    char error[BUNDLE_GUARD_ERROR_SIZE];
    samples from;
    /* A damaged file is found before anything is printed. */
    if (!go_through(path, NULL, &from, error, sizeof error)) {
        return complain(error);
    }
    BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open(model_file, error, sizeof error);
    if (model == NULL) {
        return complain(error);
    }
    selftest test = {.model = model, .rows = rows};
    const bool judged = go_through(path, &test, &from, error, sizeof error);
    BUNDLE_IDENTIFIER_close(model);
    return judged ? verdict(&test, &from) : complain(error);
}

int main(int count, char **arguments) {
    const char *path = SELFTEST_FILE, *model_file = MODEL_FILE;
    bool rows = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--rows") == 0) {
            rows = true;
        } else if (strcmp(arguments[i], "--model") == 0 && i + 1 < count) {
            model_file = arguments[++i];
        } else if (arguments[i][0] != '-') {
            path = arguments[i];
        } else {
            fprintf(stderr, "Usage: selftest [FILE] [--rows] [--model MODEL]\n");
            return 2;
        }
    }
    return run(path, model_file, rows);
}
