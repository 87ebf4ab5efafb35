// SPDX-License-Identifier: MIT
//
// enter_image.h for x86-64, in the calling convention of UEFI: RBX, RBP, RDI, RSI, R12 to R15 and
// XMM6 to XMM15 belong to the caller.
#include "efi/firmware/enter_image.h"

asm(R"(
    .text
    .globl keelson_enter_image
keelson_enter_image:
    pushq %rbx
    pushq %rbp
    pushq %rdi
    pushq %rsi
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $200, %rsp                 # 32 for the callee, 160 for XMM, 8 to align
    movaps %xmm6, 32(%rsp)
    movaps %xmm7, 48(%rsp)
    movaps %xmm8, 64(%rsp)
    movaps %xmm9, 80(%rsp)
    movaps %xmm10, 96(%rsp)
    movaps %xmm11, 112(%rsp)
    movaps %xmm12, 128(%rsp)
    movaps %xmm13, 144(%rsp)
    movaps %xmm14, 160(%rsp)
    movaps %xmm15, 176(%rsp)
    movq %rsp, (%r9)
    movq %rcx, %rax
    movq %rdx, %rcx
    movq %r8, %rdx
    callq *%rax
.Lkeelson_image_ended:
    movaps 32(%rsp), %xmm6
    movaps 48(%rsp), %xmm7
    movaps 64(%rsp), %xmm8
    movaps 80(%rsp), %xmm9
    movaps 96(%rsp), %xmm10
    movaps 112(%rsp), %xmm11
    movaps 128(%rsp), %xmm12
    movaps 144(%rsp), %xmm13
    movaps 160(%rsp), %xmm14
    movaps 176(%rsp), %xmm15
    addq $200, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rsi
    popq %rdi
    popq %rbp
    popq %rbx
    retq

    .globl keelson_leave_image
keelson_leave_image:
    movq %rcx, %rsp
    movq %rdx, %rax
    jmp .Lkeelson_image_ended
)");

extern "C" void keelson_enter_handover(const std::byte* entry, keelson::efi::Handle image,
                                       void* system_table, std::byte* boot_params) noexcept {
  using Entry = void(__attribute__((sysv_abi))*)(void*, void*, void*);
  reinterpret_cast<Entry>(const_cast<std::byte*>(entry))(image, system_table, boot_params);
}
