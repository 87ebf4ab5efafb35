// SPDX-License-Identifier: MIT
//
// Owns the CPU's part of calling an image that was placed in memory: the call, and coming back from
// the middle of it. One file per architecture (enter_image_x64.cpp).
#pragma once

#include "efi/firmware/handle.h"

// extern "C": written in assembly.
extern "C" {

// Calls entry(image, system_table) and returns its status. Before that, *resume is set to what
// keelson_leave_image needs.
keelson::efi::Status keelson_enter_image(const std::byte* entry, keelson::efi::Handle image,
                                         void* system_table, void** resume) noexcept;

// Calls a kernel by the handover protocol of x86: entry(image, system_table, boot_params), in the
// calling convention of an ordinary C compiler. Comes back only if the kernel does. Machines
// without such a protocol come back at once.
void keelson_enter_handover(const std::byte* entry, keelson::efi::Handle image, void* system_table,
                            std::byte* boot_params) noexcept;

// Makes the call of keelson_enter_image that set `resume` return `status`. Must be below it on the
// same stack; what lies in between is dropped.
[[noreturn]] void keelson_leave_image(void* resume, keelson::efi::Status status) noexcept;

}  // extern "C"
