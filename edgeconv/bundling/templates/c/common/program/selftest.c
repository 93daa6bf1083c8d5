/* selftest [FILE] [--rows] [--model MODEL]: does the model answer here as it did where it was made?
 * With --rows it prints a JSON row a sample to stdout. The verdict goes to stderr. */
#include "json.h"
#include "numbers.h"
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Outputs of the model itself; where pictures go in, what the net was fed is behind them. */
    TAKES_PICTURE = BUNDLE_TAKES_PICTURE,
    PREPARED = BUNDLE_GUARD_OUTPUTS - 1,
    ANSWERS = BUNDLE_GUARD_OUTPUTS - TAKES_PICTURE
};

/* The largest difference so far. */
typedef struct {
    double error;
    uint32_t sample;
    int label;
    bool judged;
} worst;

typedef struct {
    const BUNDLE_IDENTIFIER_model *model;
    const limit *limits;
    worst found[BUNDLE_GUARD_OUTPUTS];
    bool rows;
} selftest;

static int ascending(const void *one, const void *other) {
    const double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* The largest difference of two arrays of one shape, without the cells that are spared; what is no number is infinitely
 * off, and is not spared. Negative where there is no memory. */
static double difference(const BUNDLE_IDENTIFIER_array *received, const BUNDLE_IDENTIFIER_array *wanted, limit allowed) {
    const size_t count = wanted->size / number_size(wanted->type), cells = count / allowed.cell;
    double *off = calloc(cells + 1, sizeof *off);
    if (off == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const double one = number_at(received, i), other = number_at(wanted, i);
        const double error = one == other ? 0 : fabs(one - other);
        double *cell = &off[i / allowed.cell];
        *cell = isnan(error) ? (double)INFINITY : fmax(error, *cell);
    }
    qsort(off, cells, sizeof *off, ascending);
    const size_t spared = (size_t)(allowed.spared * (double)cells);
    double largest = cells == 0 ? 0 : off[cells - 1];
    if (cells > 0 && !isinf(largest)) {
        largest = off[cells - 1 - spared];
    }
    free(off);
    return largest;
}

static bool run_once(const selftest *test, const BUNDLE_IDENTIFIER_array *inputs, const sample *with,
    BUNDLE_IDENTIFIER_array *outputs, double *errors, char *error, size_t error_size) {
    if (!BUNDLE_IDENTIFIER_run(test->model, inputs, outputs, error, error_size)) {
        return false;
    }
    for (int i = 0; i < BUNDLE_GUARD_OUTPUTS; i++) {
        if (!same_shape(&outputs[i], &with->outputs[i])) {
            snprintf(error, error_size, "The model must be the one that `BUNDLE_SELFTEST_FILE` was made for. Received: another shape of `%s`.",
                BUNDLE_IDENTIFIER_output_name((size_t)i));
            BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
            return false;
        }
        errors[i] = difference(&outputs[i], &with->outputs[i], test->limits[i]);
        if (errors[i] < 0) {
            snprintf(error, error_size, "Memory for the differences of `%s` is required. Received: none.",
                BUNDLE_IDENTIFIER_output_name((size_t)i));
            BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
            return false;
        }
    }
    return true;
}

/* Runs the model on what the net should have been fed, so that inference is judged apart from the preparation: a
 * prepared picture passes through untouched. What even then was fed otherwise is not judged: NaN. */
static bool run_prepared(const selftest *test, const sample *with, double *errors, char *error, size_t error_size) {
    BUNDLE_IDENTIFIER_array outputs[BUNDLE_GUARD_OUTPUTS], picture = with->outputs[PREPARED];
    double again[BUNDLE_GUARD_OUTPUTS];
    picture.axes--;
    memmove(picture.shape, picture.shape + 1, picture.axes * sizeof *picture.shape);
    if (!run_once(test, &picture, with, outputs, again, error, error_size)) {
        return false;
    }
    BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
    for (int i = 0; i < ANSWERS; i++) {
        errors[i] = again[PREPARED] == 0 ? again[i] : (double)NAN;
    }
    return true;
}

static void print_row(const samples *from, const sample *with, const double *errors, const BUNDLE_IDENTIFIER_array *outputs) {
    printf("{\"sample\": %u, \"label\": %d, \"errors\": {", (unsigned)(from->read - 1), with->label);
    for (int i = 0; i < BUNDLE_GUARD_OUTPUTS; i++) {
        printf(i == 0 ? "" : ", ");
        json_string(BUNDLE_IDENTIFIER_output_name((size_t)i));
        printf(": ");
        json_number(errors[i]);
    }
    printf("}, \"outputs\": {");
    for (int i = 0; i < ANSWERS; i++) {
        printf(i == 0 ? "" : ", ");
        json_string(BUNDLE_IDENTIFIER_output_name((size_t)i));
        printf(": ");
        json_numbers(&outputs[i]);
    }
    printf("}}\n");
}

static bool judge(selftest *test, const samples *from, const sample *with, char *error, size_t error_size) {
    BUNDLE_IDENTIFIER_array outputs[BUNDLE_GUARD_OUTPUTS];
    double errors[BUNDLE_GUARD_OUTPUTS];
    bool ran = run_once(test, with->inputs, with, outputs, errors, error, error_size);
    if (!ran) {
        return false;
    }
    if (TAKES_PICTURE && errors[PREPARED] != 0) {
        ran = run_prepared(test, with, errors, error, error_size);
    }
    for (int i = 0; i < BUNDLE_GUARD_OUTPUTS && ran; i++) {
        worst *so_far = &test->found[i];
        if (!isnan(errors[i]) && (!so_far->judged || errors[i] > so_far->error)) {
            *so_far = (worst){errors[i], from->read - 1, with->label, true};
        }
    }
    if (ran && test->rows) {
        print_row(from, with, errors, outputs);
    }
    BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
    return ran;
}

static bool print_failure(int output, const worst *found, double largest) {
    const bool preparation = TAKES_PICTURE && output == PREPARED;
    if (!found->judged || found->error <= largest) {
        return false;
    }
    fprintf(stderr, "FAIL: %s is off: sample %u", preparation ? "preparation" : "inference", (unsigned)found->sample);
    if (BUNDLE_IDENTIFIER_label(found->label) != NULL) {
        fprintf(stderr, " (\"");
        print_words(BUNDLE_IDENTIFIER_label(found->label));
        fprintf(stderr, "\")");
    }
    fprintf(stderr, " differs by %.3g %s%s, allowed are %.3g\n", found->error, preparation ? "grey levels" : "in ",
        preparation ? "" : BUNDLE_IDENTIFIER_output_name((size_t)output), largest);
    return true;
}

static int verdict(const selftest *test, const samples *from) {
    bool failed = TAKES_PICTURE && print_failure(PREPARED, &test->found[PREPARED], from->limits[PREPARED].largest);
    for (int i = 0; i < ANSWERS; i++) {
        failed = print_failure(i, &test->found[i], from->limits[i].largest) || failed;
    }
    if (failed) {
        return 1;
    }
    fprintf(stderr, "PASS: %u samples;", (unsigned)from->count);
    if (TAKES_PICTURE) {
        fprintf(stderr, " preparation within %.3g of %.3g grey levels,", test->found[PREPARED].error, from->limits[PREPARED].largest);
    }
    for (int i = 0; i < ANSWERS; i++) {
        fprintf(stderr, "%s %s within %.3g of %.3g", i == 0 ? "" : ",", BUNDLE_IDENTIFIER_output_name((size_t)i),
            test->found[i].error, from->limits[i].largest);
    }
    fprintf(stderr, "\n");
    return 0;
}

/* Reads all samples, and judges the model by them where there is a test. */
static bool go_through(const char *path, selftest *test, samples *from, char *error, size_t error_size) {
    sample with = {0};
    samples_state state = SAMPLES_DAMAGED;
    if (open_samples(path, from, error, error_size)) {
        do {
            state = next_sample(from, &with, error, error_size);
        } while (state == SAMPLE_READ && (test == NULL || judge(test, from, &with, error, error_size)));
    }
    close_samples(from, &with);
    return state == SAMPLES_ENDED;
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
    selftest test = {.model = model, .limits = from.limits, .rows = rows};
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
    return run(path, model_file, rows) | check_stdout();
}
