#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# /then of guests that are told what to do: runs the steps that the host passes beside the boot chain
# (fw_cfg "opt/keelson/steps", so that no measured byte depends on them) and reports each one's exit
# status and output, as guest_init.sh reports: a step that is missing is noticed.
export PATH=/bin:/usr/bin:/usr/sbin:/usr/lib/systemd SYSTEMD_PAGER= DM_DISABLE_UDEV=1
lines=0
report() {
  echo "@report $*"
  lines=$((lines + 1))
}

# step NAME COMMAND...: runs it and reports; the steps go on after a failure, which may be wanted.
step() {
  name=$1
  shift
  "$@" > /step.output 2>&1 < /dev/null
  report step "$name" "$?" "$(base64 -w0 /step.output)"
}

mkdir -p /run /tmp /etc
mount -t tmpfs tmpfs /run
report begin 2
steps=/sys/firmware/qemu_fw_cfg/by_name/opt/keelson/steps/raw
if [ -r "$steps" ]; then
  cat "$steps" > /steps.sh
  . /steps.sh
fi
report end $((lines + 1))
