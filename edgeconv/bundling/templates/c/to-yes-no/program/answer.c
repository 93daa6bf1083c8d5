#include "answer.h"

#include "../BUNDLE_IDENTIFIER_answer.h"
#include "json.h"

#include <stdio.h>

bool print_answer(const char *path, const BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    (void)error, (void)error_size; /* nothing fails here */
    const float probability = *(const float *)outputs[0].data;
    const bool yes = BUNDLE_IDENTIFIER_reaches(probability);
    printf("{\"path\": ");
    json_string(path);
    printf(", \"label\": ");
    json_string(BUNDLE_IDENTIFIER_label(yes));
    printf(", \"answer\": %s, \"probability\": ", yes ? "true" : "false");
    json_number((double)probability);
    printf(", \"threshold\": ");
    json_number(BUNDLE_GUARD_THRESHOLD);
    printf("}\n");
    return true;
}
