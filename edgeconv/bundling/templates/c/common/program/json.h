/* Writes JSON to stdout. */
#ifndef JSON_INCLUDED
#define JSON_INCLUDED

/* Text between quotes; bytes that are no UTF-8 become U+FFFD. */
void json_string(const char *text);

/* One number; null for what is not finite. */
void json_number(double value);

#endif
