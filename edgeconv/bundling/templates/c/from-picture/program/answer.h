/* Prints the answer to a picture. */
#ifndef ANSWER_INCLUDED
#define ANSWER_INCLUDED

#include "../BUNDLE_IDENTIFIER_picture.h"

/* A JSON row on stdout. Where that fails, nothing is printed and the reason is in `error`. */
bool print_answer(const char *path, const BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size);

#endif
