/* comm.h: several processes that work together, the ranks that mpirun started.
 *
 * Uses: base.
 *
 * One table of functions has two implementations: serial, which is one rank, and MPI, in a build
 * with -Dmpi=enabled.
 */
#ifndef RMX_COMM_H
#define RMX_COMM_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_comm rmx_comm;

/* The ranks that this process was started with; one rank where it was started alone. A process
 * calls it once, and rmx_comm_close() at its end. From then on rmx_processors() is this rank's
 * share of the machine. RMX_EUSAGE: mpirun started several processes, but this build has no MPI. */
rmx_status rmx_comm_open(rmx_comm **out, rmx_err *err);
/* Number of processes that srun of Slurm started, if each of them works alone, since this build has
 * no MPI; else 1. */
int rmx_comm_tasks(void);
/* Whether mpirun, or srun with PMI or PMIx, started this process, alone or with others. */
bool rmx_comm_is_rank(void);
/* Whether srun of Slurm started this process, and not an mpirun. */
bool rmx_comm_by_srun(void);
/* Waits for all ranks. */
void rmx_comm_close(rmx_comm *c);
/* Ends all ranks at once, with this exit code. It does not return where there are several. */
void rmx_comm_abort(rmx_comm *c, int code);

/* NULL is one rank. */
int rmx_comm_rank(const rmx_comm *c); /* from 0 */
int rmx_comm_size(const rmx_comm *c);
/* RMX_EUSAGE on all ranks, unless this text, a command line, is the same on all of them. */
rmx_status rmx_comm_alike(rmx_comm *c, const char *line, rmx_err *err);
/* Gets a warning where this rank was asked to stop and waits for another one; borrowed. */
void rmx_comm_listen(rmx_comm *c, const rmx_listener *listener);
/* The failure that was reported last happened on all ranks, which go on. */
bool rmx_comm_agreed(const rmx_comm *c);
/* Name and version of the MPI library; NULL: this build has none. */
const char *rmx_comm_library(void);

#ifdef __cplusplus
}
#endif
#endif
