// SPDX-License-Identifier: MIT
//
// Own image, loaded images, the patched record (image.h).
#include "efi/firmware/image.h"

#include "efi/firmware/clock.h"
#include "efi/firmware/console.h"
#include "efi/firmware/entry.h"
#include "efi/firmware/protocol.h"
#include "efi/firmware/secure_boot.h"
#include "efi/firmware/security_hooks.h"

namespace keelson::efi {
namespace {

using Record = EFI_LOADED_IMAGE_PROTOCOL;

Bytes memory(const void* at, std::uint64_t size) {
  if (at == nullptr) return {};
  return {static_cast<const std::byte*>(at), static_cast<std::size_t>(size)};
}

// LoadOptionsSize counts a NUL. Error: unsupported, if it would not fit.
Result<std::uint32_t> options_size(std::u16string_view text) {
  if (text.empty()) return std::uint32_t{0};
  if (text.size() > 0x3fff'ffff)
    return fail(Errc::unsupported, "load options too long", text.size());
  return static_cast<std::uint32_t>((text.size() + 1) * sizeof(char16_t));
}

void* options_address(std::u16string_view text) {
  return text.empty() ? nullptr : const_cast<char16_t*>(text.data());
}

}  // namespace

Result<Image> Image::open(Handle own) {
  const Record* const record = interface_on<Record>(own);
  if (record == nullptr) return fail(Errc::unsupported, "our own loaded-image protocol is missing");
  Image image;
  image.handle_ = own;
  image.device_ = record->DeviceHandle;
  image.loaded_bytes_ = memory(record->ImageBase, record->ImageSize);
  image.load_options_ = memory(record->LoadOptions, record->LoadOptionsSize);
  const auto path = device_path_at(record->FilePath);
  if (path.has_value()) image.file_path_ = *path;
  return image;
}

Result<Volume> Image::volume() const {
  if (device_ == nullptr) return fail(Errc::not_found, "started from no device");
  return Volume::open(device_);
}

Clock Image::clock() const { return Clock(); }
Console Image::console() const { return Console(); }

std::optional<Image::ShellArguments> Image::shell_arguments() const {
  const auto* const shell = interface_on<ShellParametersProtocol>(handle_);
  if (shell == nullptr || shell->argv == nullptr) return std::nullopt;
  ShellArguments arguments;
  arguments.texts_ = shell->argv;
  arguments.count_ = shell->argc;
  return arguments;
}

std::u16string_view Image::ShellArguments::operator[](std::size_t i) const {
  constexpr std::size_t limit = 64_KiB;
  if (i >= count_ || texts_[i] == nullptr) return {};
  std::size_t size = 0;
  while (size < limit && texts_[i][size] != 0) ++size;
  return {texts_[i], size};
}

Result<LoadedImage> LoadedImage::load(const Image& parent, const Request& request) {
  LoadedImage image;
  SecurityHooks hooks;
  if (request.secure_boot && find_shim().needs_hooks())
    TRY(hooks.install({.device_path = request.device_path,
                       .source = request.source,
                       .is_verified = request.is_verified}));
  const Status result = boot_services().LoadImage(
      request.boot_policy ? TRUE : FALSE, parent.handle(), as_device_path(request.device_path),
      request.source.empty() ? nullptr : const_cast<std::byte*>(request.source.data()),
      request.source.size(), &image.handle_);
  hooks.remove();
  if (failed(result)) {
    // With "security violation" the firmware keeps the image, to be asked about later: not by us.
    if (result != status::security_violation) image.handle_ = nullptr;
    if (image.handle_ != nullptr)
      boot_services().UnloadImage(std::exchange(image.handle_, nullptr));
    TRY(check(result, "the firmware refuses this image"));
  }
  image.record_ = interface_on<Record>(image.handle_);
  if (image.record_ == nullptr) return fail(Errc::unsupported, "loaded image without its protocol");
  return image;
}

LoadedImage::LoadedImage(LoadedImage&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), record_(other.record_) {}
LoadedImage& LoadedImage::operator=(LoadedImage&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(record_, other.record_);
  return *this;
}
LoadedImage::~LoadedImage() { unload(); }

void LoadedImage::unload() {
  if (handle_ != nullptr) boot_services().UnloadImage(std::exchange(handle_, nullptr));
}

Bytes LoadedImage::bytes() const {
  const auto* const record = static_cast<const Record*>(record_);
  return memory(record->ImageBase, record->ImageSize);
}

LoadedImage::Kind LoadedImage::kind() const {
  switch (static_cast<const Record*>(record_)->ImageCodeType) {
    case EfiBootServicesCode:
      return Kind::boot_driver;
    case EfiRuntimeServicesCode:
      return Kind::runtime_driver;
    default:
      return Kind::application;
  }
}

Result<> LoadedImage::set_load_options(std::u16string_view text) {
  auto* const record = static_cast<Record*>(record_);
  record->LoadOptionsSize = TRY(options_size(text));
  record->LoadOptions = options_address(text);
  return {};
}

bool LoadedImage::is_loaded() const {
  return handle_ != nullptr && interface_on<Record>(handle_) == record_;
}

Result<> LoadedImage::start() {
  const bool is_driver = kind() != Kind::application;
  UINTN exit_data_size = 0;
  CHAR16* exit_data = nullptr;
  const Handle outer = exchange_started_image(handle_);
  const Status result = boot_services().StartImage(handle_, &exit_data_size, &exit_data);
  exchange_started_image(outer);
  if (exit_data != nullptr) boot_services().FreePool(exit_data);
  // A driver that succeeded stays; an application, or a driver that failed, was unloaded when it
  // ended. What the firmware did not even begin is still ours.
  if ((!failed(result) && is_driver) || !is_loaded()) handle_ = nullptr;
  return check(result, "the image returned with an error");
}

Result<> PatchedImage::apply(const Image& self, const Description& description) {
  auto* const record = interface_on<Record>(self.handle());
  if (record == nullptr) return fail(Errc::unsupported, "our own loaded-image protocol is missing");
  const std::uint32_t options = TRY(options_size(description.load_options));
  restore();
  TRY(undo_.set([](void* context) { static_cast<PatchedImage*>(context)->restore(); }, this));
  record_ = record;
  file_path_ = record->FilePath;
  load_options_ = record->LoadOptions;
  load_options_size_ = record->LoadOptionsSize;
  image_base_ = record->ImageBase;
  image_size_ = record->ImageSize;

  record->FilePath = as_device_path(description.file_path);
  record->LoadOptions = options_address(description.load_options);
  record->LoadOptionsSize = options;
  record->ImageBase = const_cast<std::byte*>(description.image.data());
  record->ImageSize = description.image.size();
  return {};
}

void PatchedImage::restore() {
  undo_.forget();
  auto* const record = static_cast<Record*>(std::exchange(record_, nullptr));
  if (record == nullptr) return;
  record->FilePath = static_cast<EFI_DEVICE_PATH*>(file_path_);
  record->LoadOptions = load_options_;
  record->LoadOptionsSize = load_options_size_;
  record->ImageBase = image_base_;
  record->ImageSize = image_size_;
}

}  // namespace keelson::efi
