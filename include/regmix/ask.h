/* ask.h: what the commands of the program answer, for other languages. A caller needs to know the
 * layout of rmx_err, rmx_listener and rmx_table, and nothing of the other structs.
 *
 * Uses: base, mixture, regress, optimize, experiment, export, report, pipeline, command.
 *
 *   rmx_ask *ask;
 *   char *json;
 *   if (rmx_ask_new("optimize", &ask, &err) == RMX_OK) {
 *     if (rmx_ask_set(ask, "fit", "fit", &err) == RMX_OK &&
 *         rmx_ask_set(ask, "target", "pile_cc", &err) == RMX_OK &&
 *         rmx_ask_answer(ask, NULL, &json, &err) == RMX_OK)
 *       puts(json), free(json);
 *     rmx_ask_free(ask);
 *   }
 *
 * Different questions may be asked at the same time in several threads. The answer has the same
 * bits as that of the command.
 */
#ifndef RMX_ASK_H
#define RMX_ASK_H

#include <regmix/base.h>
#include <regmix/regress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_ask rmx_ask; /* a question: a command with its options */

/* A question of the kind "fit", "score", "optimize", "suggest", "sample", "report" or "export"; or
 * "scores", of the fit in a folder (option "fit"): what "fit" answered when it made it.
 * RMX_EUSAGE for another word. No regmix.yaml is read. *out: rmx_ask_free() it. */
rmx_status rmx_ask_new(const char *kind, rmx_ask **out, rmx_err *err);
/* Gives an option of the command: ("no-worse", "github=0.01"), ("raw", "true"). One that may be
 * given several times grows. "set" takes a setting of the config: ("set", "seed=2"). RMX_EUSAGE for
 * an unknown option and for a bad value. */
rmx_status rmx_ask_set(rmx_ask *a, const char *option, const char *value, rmx_err *err);
/* For "fit" and "score": tables in memory instead of files. They are borrowed until
 * rmx_ask_free(), and not changed. `path` is what messages call them. The rows of both have the
 * same names. */
rmx_status rmx_ask_tables(rmx_ask *a, const rmx_table *mixtures, const rmx_table *metrics,
                          rmx_err *err);
/* Does what the command does, and gives what it prints with --json; free() it, or
 * rmx_free_at(&json). A file that "out" names and that does not begin like the new one is kept as
 * NAME~, with a warning. listener: NULL: none. Ask once. Errors and costs: those of the command. */
rmx_status rmx_ask_answer(rmx_ask *a, const rmx_listener *listener, char **json, rmx_err *err);
void rmx_ask_free(rmx_ask *a); /* a may be NULL */

/* Fits one function to data->y, with the "regressor" and the settings of a question of the kind
 * "fit": rmx_regress_fit(). *out: rmx_regressor_free() it. */
rmx_status rmx_ask_regressor(rmx_ask *a, const rmx_dataset *data, const rmx_listener *listener,
                             rmx_regressor **out, rmx_err *err);

/* The options of a kind, as a JSON list of {"key", "type", "value", "help"}; NULL: there is no such
 * kind, or no memory. free() it. */
char *rmx_ask_options(const char *kind);

#ifdef __cplusplus
}
#endif
#endif
