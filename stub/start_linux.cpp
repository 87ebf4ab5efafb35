// SPDX-License-Identifier: MIT
//
// Starts the kernel; see start_linux.h.
#include "stub/start_linux.h"

#include <array>

#include "efi/firmware/cpu.h"
#include "efi/firmware/initrd_media.h"
#include "efi/firmware/memory_attributes.h"
#include "efi/format/device_path.h"
#include "stub/handover.h"

namespace keelson::stub {
namespace {

// Where the kernel lies: in our .linux section, as a memory-mapped node (stub.md 7.2).
class KernelPath {
 public:
  static Result<KernelPath> to(Bytes file) {
    constexpr std::uint32_t loader_data = 2;  // EFI_MEMORY_TYPE
    const auto start = reinterpret_cast<std::uintptr_t>(file.data());
    KernelPath path;
    Writer writer(path.bytes_);
    device_path::append_memory_mapped(writer, loader_data, start, start + file.size() - 1);
    device_path::append_end(writer);
    TRY(writer.done());
    return path;
  }
  Bytes bytes() const { return bytes_; }

 private:
  std::array<std::byte, device_path::memory_mapped_size + device_path::end_size> bytes_{};
};

// Copies the kernel to where it runs. A kernel that promises not to need more gets only the rights
// its sections ask for; one that does not keeps its pages as they come (security.md 4).
Result<> place(const pe::Kernel& kernel, Pages& target, efi::MemoryAttributes& rights) {
  const bool restrict = kernel.nx_compat();
  if (restrict) TRY(rights.forbid_execution(target.bytes()));
  TRY(kernel.load_into(target.mutable_bytes().first(kernel.size_of_image())));
  efi::cpu::synchronize_code(target.data(), target.size());
  if (!restrict) return {};
  return kernel.for_each_code_range([&](pe::Rva start, std::uint64_t size) {
    return rights.make_code(target.bytes().subspan(pe::value(start), size));
  });
}

// The pages a kernel runs in, with their rights. Not freed if the firmware does not take the rights
// back.
struct KernelPages {
  Pages pages;
  efi::MemoryAttributes rights;
  ~KernelPages() {
    if (!rights.restore()) pages.abandon();
  }
};

Result<> start_in_memory(const efi::Image& self, const KernelStart& kernel,
                         std::span<const Bytes> initrd_parts) {
  KernelPages target;
  target.pages = TRY(Pages::allocate({
      .size = pages_for(kernel.kernel.size_of_image()) * page_size,
      .kind = MemoryKind::code,
      .limit = MemoryLimit::anywhere,
      .alignment = kernel.kernel.alignment(),
  }));
  TRY(place(kernel.kernel, target.pages, target.rights));

  const KernelPath path = TRY(KernelPath::to(kernel.file));
  const Bytes image = target.pages.bytes().first(kernel.kernel.size_of_image());
  efi::PatchedImage description;
  TRY(description.apply(
      self, {.file_path = path.bytes(), .image = image, .load_options = kernel.command_line}));
  efi::InitrdMedia initrd;
  TRY(initrd.serve(initrd_parts, efi::InitrdMedia::LastPart::padded));
  const efi::Status status =
      efi::call_entry(image.data() + pe::value(kernel.kernel.entry_point()), self.handle());
  return efi::check(status, "the kernel gave control back");
}

Result<> start_through_load_image(const efi::Image& self, const KernelStart& kernel,
                                  std::span<const Bytes> initrd_parts) {
  const KernelPath path = TRY(KernelPath::to(kernel.file));
  efi::LoadedImage image = TRY(efi::LoadedImage::load(
      self, {.device_path = path.bytes(), .source = kernel.file, .is_verified = true}));
  TRY(image.set_load_options(kernel.command_line));
  efi::InitrdMedia initrd;
  TRY(initrd.serve(initrd_parts, efi::InitrdMedia::LastPart::padded));
  const Result<> ended = image.start();
  const auto compat = kernel.kernel.compat_entry();
  // Mixed mode: the firmware has laid out a kernel for another machine, but does not start it. One
  // that has run has been unloaded.
  if (ended.has_value() || ended.error().code != Errc::unsupported || !compat ||
      !image.is_loaded() || pe::value(*compat) >= image.bytes().size())
    return ended;
  return efi::check(efi::call_entry(image.bytes().data() + pe::value(*compat), image.handle()),
                    "the kernel gave control back");
}

}  // namespace

Result<> start_linux(const efi::Image& self, const KernelStart& kernel,
                     std::span<const Bytes> initrd_parts) {
  switch (kernel.how) {
    case Start::in_memory:
      return start_in_memory(self, kernel, initrd_parts);
    case Start::load_image:
      return start_through_load_image(self, kernel, initrd_parts);
    case Start::handover:
      return start_by_handover(self, kernel, initrd_parts);
  }
  return fail(Errc::unsupported, "no way to start the kernel");
}

}  // namespace keelson::stub
