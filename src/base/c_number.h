// SPDX-License-Identifier: Apache-2.0
// c_number.h: numbers as C writes them, with a point, also in a program that has chosen a locale
// with a decimal comma (a notebook, for instance).
#ifndef RMX_BASE_C_NUMBER_H
#define RMX_BASE_C_NUMBER_H

#include <locale.h>

// strtod() in the C locale.
double rmx__strtod(const char *text, char **end);

// From here on printf() of this thread writes a point; returns what to give to rmx__locale_back().
locale_t rmx__c_locale(void);
void rmx__locale_back(locale_t had);

#endif
