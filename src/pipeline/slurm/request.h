// SPDX-License-Identifier: Apache-2.0
// Whether a request to launch can be met.
#ifndef RMX_PIPELINE_SLURM_REQUEST_H
#define RMX_PIPELINE_SLURM_REQUEST_H

#include <regmix/pipeline.h>

// RMX_EUSAGE: an option is not what sbatch takes, or the script sets it itself.
rmx_status rmx__launch_check(const rmx_pipeline *p, const rmx_launch_request *r, rmx_err *err);

#endif
