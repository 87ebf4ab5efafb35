// SPDX-License-Identifier: MIT
//
// The LoadFile2 provider (initrd_media.h).
#include "efi/firmware/initrd_media.h"

#include <algorithm>
#include <memory>

#include "efi/firmware/protocol.h"
#include "efi/format/device_path.h"

namespace keelson::efi {
namespace {

constexpr std::size_t most_holders = 16;

// A handle that has lost its path to us, and what tells that it is still the same one.
struct Holder {
  Handle handle = nullptr;
  void* path = nullptr;
  void* media = nullptr;
};

// What the firmware points to, and the parts behind it. First member: the interface that the
// callback is given.
struct State {
  LoadFile2Protocol protocol{};
  std::array<unsigned char, device_path::linux_initrd_path.size()> path =
      device_path::linux_initrd_path;
  Handle handle = nullptr;
  bool has_protocol = false;
  std::uint64_t total = 0;
  std::array<Holder, most_holders> earlier{};  // in the order in which they lost their path
  std::size_t earlier_count = 0;
  std::span<Bytes> parts;  // behind this struct
};

// Runs while another image has control: no globals, nothing that can fail.
EFI_STATUS EFIAPI load_file(LoadFile2Protocol* self, EFI_DEVICE_PATH* file_path,
                            BOOLEAN boot_policy, UINTN* buffer_size, void* buffer) {
  if (self == nullptr || file_path == nullptr || buffer_size == nullptr)
    return EFI_INVALID_PARAMETER;
  if (boot_policy != FALSE) return EFI_UNSUPPORTED;
  const auto& state = *reinterpret_cast<const State*>(self);
  if (buffer == nullptr || *buffer_size < state.total) {
    *buffer_size = state.total;
    return EFI_BUFFER_TOO_SMALL;
  }
  initrd_parts::join(state.parts, {static_cast<std::byte*>(buffer), state.total});
  *buffer_size = state.total;
  return EFI_SUCCESS;
}

Bytes initrd_path() { return std::as_bytes(std::span(device_path::linux_initrd_path)); }

// The handle that serves an initrd now. LocateDevicePath answers with the longest beginning that
// somebody has: only the whole path counts.
Result<Handle> find_holder() {
  const Located located = TRY(locate_device_path(protocol_guid::load_file2, initrd_path()));
  if (!std::ranges::equal(TRY(device_path_of(located.handle)), initrd_path()))
    return fail(Errc::not_found, "no initrd registered");
  return located.handle;
}

Result<> take_path_over(State& state) {
  while (state.earlier_count < most_holders) {
    const auto found = find_holder();
    if (!found.has_value()) return {};
    const Holder holder = {.handle = *found,
                           .path = protocol_on(*found, protocol_guid::device_path),
                           .media = protocol_on(*found, protocol_guid::load_file2)};
    if (holder.path == nullptr || holder.media == nullptr)
      return fail(Errc::denied, "earlier initrd cannot be looked at");
    TRY(check(boot_services().UninstallProtocolInterface(
                  holder.handle, as_efi(protocol_guid::device_path), holder.path),
              "path of the earlier initrd cannot be taken over"));
    state.earlier[state.earlier_count++] = holder;
  }
  if (find_holder().has_value()) return fail(Errc::denied, "too many initrds are registered");
  return {};
}

// What can be given back: a holder that has gone meanwhile, or has got a path anew, is left alone.
void give_path_back(const State& state) {
  for (const Holder& holder : std::span(state.earlier).first(state.earlier_count)) {
    if (protocol_on(holder.handle, protocol_guid::load_file2) != holder.media) continue;
    Handle handle = holder.handle;
    boot_services().InstallProtocolInterface(&handle, as_efi(protocol_guid::device_path),
                                             EFI_NATIVE_INTERFACE, holder.path);
  }
}

}  // namespace

Result<> InitrdMedia::serve(std::span<const Bytes> parts, LastPart last_part) {
  remove();
  const auto is_empty = [](Bytes part) { return part.empty(); };
  const auto count =
      parts.size() - static_cast<std::size_t>(std::ranges::count_if(parts, is_empty));
  if (count == 0) return {};

  Pages pages = TRY(Pages::allocate(sizeof(State) + count * sizeof(Bytes)));
  State& state = *std::construct_at(reinterpret_cast<State*>(pages.data()));
  state.protocol.load_file = load_file;
  auto* const kept = reinterpret_cast<Bytes*>(pages.data() + sizeof(State));
  std::size_t next = 0;
  for (const Bytes part : parts)
    if (!part.empty()) std::construct_at(kept + next++, part);
  state.parts = {kept, count};
  state.total = TRY(initrd_parts::joined_size(state.parts, last_part));

  TRY(undo_.set([](void* context) { static_cast<InitrdMedia*>(context)->remove(); }, this));
  state_ = std::move(pages);
  const Result<> installed = [&]() -> Result<> {
    TRY(take_path_over(state));
    TRY(check(
        boot_services().InstallProtocolInterface(&state.handle, as_efi(protocol_guid::device_path),
                                                 EFI_NATIVE_INTERFACE, state.path.data()),
        "initrd path cannot be registered"));
    TRY(check(
        boot_services().InstallProtocolInterface(&state.handle, as_efi(protocol_guid::load_file2),
                                                 EFI_NATIVE_INTERFACE, &state.protocol),
        "initrd cannot be registered"));
    state.has_protocol = true;
    return {};
  }();
  if (!installed.has_value()) remove();
  return installed;
}

void InitrdMedia::remove() {
  undo_.forget();
  if (state_.empty()) return;
  State& state = *reinterpret_cast<State*>(state_.data());
  // The path first: somebody may have taken it over meanwhile, and then this answers "not found" as
  // long as our LoadFile2 keeps the handle alive.
  if (state.handle != nullptr)
    boot_services().UninstallProtocolInterface(state.handle, as_efi(protocol_guid::device_path),
                                               state.path.data());
  if (state.has_protocol)
    boot_services().UninstallProtocolInterface(state.handle, as_efi(protocol_guid::load_file2),
                                               &state.protocol);
  give_path_back(state);
  state_ = Pages();
}

Result<std::optional<Pages>> fetch_registered_initrd(std::uint64_t max_size) {
  const auto holder = find_holder();
  if (!holder.has_value()) return std::nullopt;
  const auto media = TRY(Protocol<LoadFile2Protocol>::open(*holder));
  // What remains of the path behind the handle's own: the end.
  EFI_DEVICE_PATH* const rest = as_device_path(initrd_path().last(device_path::end_size));
  UINTN size = 0;
  const Status asked = media->load_file(media.get(), rest, FALSE, &size, nullptr);
  if (asked != status::buffer_too_small) {
    TRY(check(asked, "earlier initrd cannot be read"));
    return std::nullopt;  // success without a buffer: it is empty
  }
  if (size == 0) return std::nullopt;
  if (size > max_size) return fail(Errc::unsupported, "earlier initrd too large", size);
  Pages pages = TRY(Pages::allocate({.size = size, .fill = Fill::tail_zero}));
  UINTN got = size;
  TRY(check(media->load_file(media.get(), rest, FALSE, &got, pages.data()),
            "earlier initrd cannot be read"));
  if (got != size) return fail(Errc::malformed, "earlier initrd changed its size", got);
  return pages;
}

}  // namespace keelson::efi
