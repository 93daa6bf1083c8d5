/* Numbers of arrays of any type, and arrays as JSON. */
#ifndef NUMBERS_INCLUDED
#define NUMBERS_INCLUDED

#include "../BUNDLE_IDENTIFIER.h"

/* Bytes of one number of a type; 0 where it is none of BUNDLE_IDENTIFIER_array's. */
size_t number_size(int type);

/* Whether two arrays have the same type and shape. */
bool same_shape(const BUNDLE_IDENTIFIER_array *one, const BUNDLE_IDENTIFIER_array *other);

double number_at(const BUNDLE_IDENTIFIER_array *array, size_t index);

/* Whether there is neither NaN nor infinity in arrays. */
bool finite_numbers(const BUNDLE_IDENTIFIER_array *arrays, size_t count);

/* All numbers in a row on stdout: [1, 2, 3]. */
void json_numbers(const BUNDLE_IDENTIFIER_array *array);

/* Arrays by the names of the outputs: {"values": {"dtype": "float32", "shape": [1, 2], "data": [1, 2]}}. */
void json_outputs(const BUNDLE_IDENTIFIER_array *outputs, size_t count);

#endif
