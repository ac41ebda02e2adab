// SPDX-License-Identifier: Apache-2.0
// documents.h: how likely a model finds whole texts.
#ifndef RMX_EVAL_DOCUMENTS_H
#define RMX_EVAL_DOCUMENTS_H

#include <jansson.h>
#include <regmix/eval.h>

// Whether a file holds texts: a file of text, or JSON whose first object has "text" and no
// "choices". False too for what cannot be read: the reader of items says why.
bool rmx__eval_is_text(const char *path);
// Scores the texts of a file, and adds the task to the trees of rmx_eval().
rmx_status rmx__eval_documents(const rmx_eval_job *job, const char *path, const char *task,
                               json_t *tree, rmx_err *err);

#endif
