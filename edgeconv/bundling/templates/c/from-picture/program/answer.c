#include "answer.h"

#include "json.h"
#include "numbers.h"

#include <stdio.h>

bool print_answer(const char *path, const BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    (void)error, (void)error_size; /* nothing fails here */
    printf("{\"path\": ");
    json_string(path);
    printf(", \"outputs\": ");
    json_outputs(outputs, BUNDLE_GUARD_OUTPUTS - 1); /* without what the net was fed */
    printf("}\n");
    return true;
}
