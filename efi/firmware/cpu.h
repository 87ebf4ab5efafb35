// SPDX-License-Identifier: MIT
//
// What only the CPU can tell: its counter, the counter's frequency, whether a hypervisor is below,
// an I/O port. One file per architecture implements it (cpu_x64.cpp); the simulation has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace keelson::efi::cpu {

// Whether a hypervisor says that it is there.
bool is_virtual_machine();
// The time stamp counter.
std::uint64_t counter();
// Its frequency in Hz, if the CPU or the hypervisor names it.
std::optional<std::uint64_t> counter_frequency();
// Reads the ACPI PM timer at I/O port `port`.
std::uint32_t read_pm_timer(std::uint16_t port);
// Whether PNP0501 ports 0 to 3 are COM1 to COM4 of a PC, at their fixed I/O ports.
bool has_pc_serial_ports();
// Tells the CPU that we are in a waiting loop.
void pause();
// Calls `function(data, size)`, an EFI_STATUS function that keeps the calling convention of an
// ordinary C compiler for this CPU and not that of UEFI. Returns its status.
std::uint64_t call_native(void* function, const void* data, std::uint32_t size);
// Makes code that was written as data visible to instruction fetches.
void synchronize_code(const std::byte* at, std::uint64_t size);

}  // namespace keelson::efi::cpu
