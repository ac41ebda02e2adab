// SPDX-License-Identifier: Apache-2.0
// Advice about text in a table that should be a number.
#ifndef RMX_BASE_NUMBER_ADVICE_H
#define RMX_BASE_NUMBER_ADVICE_H

// What to do with "0,5", "1,234.5" or "48%": the end of a message, or "" where the text is no such
// number.
const char *rmx__number_advice(const char *text);

#endif
