#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# /init of the test guest: tells on the serial console what it finds, then powers off. Every line of
# the report starts with "@report "; the last one says how many there were, so that a lost line is
# noticed. What may hold any byte is in base64.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# Also where the command line names no console.
exec > /dev/ttyS0 2>&1
echo 1 > /proc/sys/kernel/printk
mount -t securityfs securityfs /sys/kernel/security
for module in /modules/*.ko; do
  [ -e "$module" ] && insmod "$module"
done
mount -t efivarfs efivarfs /sys/firmware/efi/efivars 2>/dev/null

lines=0
report() {
  echo "@report $*"
  lines=$((lines + 1))
}

echo
report begin 1
report uname "$(uname -r)"
report cmdline "$(base64 -w0 /proc/cmdline)"
[ -r /sys/kernel/security/lockdown ] && report lockdown "$(cat /sys/kernel/security/lockdown)"
find /.extra 2>/dev/null | sort | while read -r path; do
  if [ -d "$path" ]; then
    echo "extra $(stat -c %a "$path") $path/"
  else
    echo "extra $(stat -c %a "$path") $path $(base64 -w0 "$path")"
  fi
done > /extra.list
while read -r line; do report "$line"; done < /extra.list
for bank in sha1 sha256 sha384 sha512; do
  for pcr in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    file=/sys/class/tpm/tpm0/pcr-$bank/$pcr
    [ -r "$file" ] && read -r value < "$file" && report pcr "$bank" "$pcr" "$value"
  done
done
for variable in /sys/firmware/efi/efivars/Loader* /sys/firmware/efi/efivars/Stub* \
  /sys/firmware/efi/efivars/Keelson* /sys/firmware/efi/efivars/SecureBoot-*; do
  [ -e "$variable" ] && report variable "${variable##*/}" "$(base64 -w0 "$variable")"
done
log=/sys/kernel/security/tpm0/binary_bios_measurements
[ -r "$log" ] && report eventlog "$(base64 -w0 "$log")"
report end $((lines + 1))

# A scenario may bring more to do, after the report.
[ -x /then ] && /then
poweroff -f
