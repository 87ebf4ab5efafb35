# SPDX-License-Identifier: MIT
# The QEMU harness: real firmware, real TPM emulation, real kernels. One noun per file; `harness`
# joins them into a scenario. Scenarios are the files test_*.py; tools/demo and tools/bench use the
# same modules.
