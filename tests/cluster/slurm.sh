# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# A real Slurm on this machine alone: one node, its own folder, no munge, no system service.
# slurm_start FOLDER PROCESSORS; slurm_stop. slurm_missing prints why there can be none.
slurm_missing() {
  for program in sbatch squeue scontrol slurmctld slurmd; do
    PATH=$PATH:/usr/sbin command -v $program > /dev/null || { echo "no $program; Debian: apt-get install slurm-wlm"; return 0; }
  done
  [ "$(id -u)" = 0 ] || { echo "slurmd is started as root"; return 0; }
  return 1
}
slurm_start() {
  mkdir -p "$1/state" "$1/spool" "$1/log"
  node=$(hostname -s)
  # Two ports that are likely free: tests of several worktrees may run at once.
  port=$((20000 + $$ % 20000))
  cat > "$1/slurm.conf" << END
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=2
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmctldPidFile=$1/ctld.pid
SlurmdPidFile=$1/slurmd.pid
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool
SlurmctldLogFile=$1/log/ctld.log
SlurmdLogFile=$1/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0
MpiDefault=none
ReturnToService=2
MinJobAge=300
JobRequeue=1
InactiveLimit=0
KillWait=10
Waittime=0
NodeName=$node NodeAddr=127.0.0.1 CPUs=$2 RealMemory=500 State=UNKNOWN
PartitionName=p Nodes=$node Default=YES MaxTime=60 State=UP OverSubscribe=NO
END
  export SLURM_CONF="$1/slurm.conf"
  PATH=$PATH:/usr/sbin
  slurmctld -D -c -f "$SLURM_CONF" > "$1/log/ctld.out" 2>&1 & slurmctld_pid=$!
  slurmd -D -f "$SLURM_CONF" -N "$node" > "$1/log/slurmd.out" 2>&1 & slurmd_pid=$!
  slurm_n=0
  while [ "$(timeout 5 sinfo -h -o %T 2> /dev/null)" != idle ] && [ $slurm_n -lt 100 ]; do sleep 0.2; slurm_n=$((slurm_n + 1)); done
  [ "$(timeout 5 sinfo -h -o %T 2> /dev/null)" = idle ]
}
slurm_stop() {
  [ -n "${slurmd_pid-}" ] || return 0
  timeout 5 scancel -u root 2> /dev/null
  kill "$slurmd_pid" "$slurmctld_pid" 2> /dev/null
  wait "$slurmd_pid" "$slurmctld_pid" 2> /dev/null
  slurmd_pid=
}
