// SPDX-License-Identifier: MIT
//
// Owns images: our own (Image, through which a program gets its capabilities), images that we load
// and start (LoadedImage), and our own loaded-image record while it describes a kernel that was put
// in place in memory (PatchedImage). LoadImage decides what may run; nothing here does.
#pragma once

#include <optional>
#include <string_view>

#include "efi/firmware/handle.h"
#include "efi/firmware/undo.h"
#include "efi/firmware/variables.h"
#include "efi/firmware/volume.h"

struct _EFI_SYSTEM_TABLE;

namespace keelson::efi {

class Clock;
class Console;

// The image that is running. Views point into firmware memory and stay valid while it runs.
class Image {
 public:
  static Result<Image> open(Handle own);

  Handle handle() const { return handle_; }
  Handle device() const { return device_; }  // null if the starter gave none
  // The image as it lies in memory (RVA 0 first).
  Bytes loaded_bytes() const { return loaded_bytes_; }
  // As given: UTF-16 text, with or without NUL, or anything else. Empty if none.
  Bytes load_options() const { return load_options_; }
  // The path below the device, with its end node; empty if none or malformed.
  Bytes file_path() const { return file_path_; }

  // Capabilities.
  Result<Volume> volume() const;  // the volume of device(); not_found without a device
  Variables variables() const { return Variables(); }
  Clock clock() const;
  Console console() const;

  // Arguments given by a UEFI shell, the program's name first; nullopt if not started from one.
  class ShellArguments {
   public:
    std::size_t size() const { return count_; }
    // Views end at the NUL, and at 64 Ki units without one.
    std::u16string_view operator[](std::size_t i) const;

   private:
    friend class Image;
    const char16_t* const* texts_ = nullptr;
    std::size_t count_ = 0;
  };
  std::optional<ShellArguments> shell_arguments() const;

 private:
  Handle handle_ = nullptr;
  Handle device_ = nullptr;
  Bytes loaded_bytes_;
  Bytes load_options_;
  Bytes file_path_;
};

// An image that the platform has accepted: the firmware, or a shim in front of it. Shim 16 answers
// for LoadImage by itself; with an older one and Secure Boot, load() puts shim's verdict before the
// firmware's (security_hooks.h). Unloaded when it ends, unless it has ended by itself or stays as a
// driver.
class LoadedImage {
 public:
  // `device_path` has its end node and must lie in memory until the image has ended. `source`
  // empty: the firmware reads the file itself. A refused image is never kept. Errors: denied (the
  // firmware's policy refuses it), unsupported (wrong machine), firmware.
  struct Request {
    Bytes device_path;
    Bytes source;
    bool boot_policy = false;
    // As the program has read it, once (R7). Without it nothing is refused: no shim is asked.
    bool secure_boot = true;
    // `source` lies in our own image, or one of its sections holds its hash (R1): no verdict of an
    // older shim is needed for exactly these bytes. Any other verifier still has its say.
    bool is_verified = false;
  };
  static Result<LoadedImage> load(const Image& parent, const Request& request);
  LoadedImage(LoadedImage&& other) noexcept;
  LoadedImage& operator=(LoadedImage&& other) noexcept;
  ~LoadedImage();

  Handle handle() const { return handle_; }
  Bytes bytes() const;  // as loaded
  enum class Kind : std::uint8_t { application, boot_driver, runtime_driver };
  Kind kind() const;
  // `text` must be followed by a NUL, which LoadOptionsSize counts, and lie in memory until the
  // image has ended. Empty: no options at all.
  Result<> set_load_options(std::u16string_view text);
  // Hands control over. Whatever the image returned is the result; `unsupported` may also mean that
  // the firmware did not even begin (foreign machine), and is_loaded() tells.
  Result<> start();
  bool is_loaded() const;

 private:
  LoadedImage() = default;
  void unload();
  Handle handle_ = nullptr;
  void* record_ = nullptr;  // EFI_LOADED_IMAGE_PROTOCOL
};

// While it lives, our own LoadedImage describes `image` (stub.md 7.2): the kernel that was placed
// in memory is started under our handle and finds its path, base and options there. Restored on
// every way out. Not movable.
class PatchedImage {
 public:
  struct Description {
    Bytes file_path;                   // with end node
    Bytes image;                       // as placed in memory
    std::u16string_view load_options;  // followed by a NUL; empty: none
  };
  PatchedImage() = default;
  PatchedImage(const PatchedImage&) = delete;
  PatchedImage& operator=(const PatchedImage&) = delete;
  ~PatchedImage() { restore(); }
  // Error: out_of_memory (undo list), firmware.
  Result<> apply(const Image& self, const Description& description);
  void restore();

 private:
  void* record_ = nullptr;
  void* file_path_ = nullptr;
  void* load_options_ = nullptr;
  void* image_base_ = nullptr;
  std::uint64_t image_size_ = 0;
  std::uint32_t load_options_size_ = 0;
  UndoRegistration undo_;
};

// Calls the entry point of an image that lies at `entry`, as the firmware would, under the handle
// `image`, and returns what it returned or gave to Exit. The caller has verified what lies there.
// (call_entry.cpp, replaced by the simulation.)
Status call_entry(const std::byte* entry, Handle image);

// The same for x86's EFI handover protocol (stub.md 7.6): the kernel at `entry` is told where its
// boot_params are. It comes back only if the kernel gives up, which by then can say nothing.
void call_handover(const std::byte* entry, Handle image, std::byte* boot_params);

}  // namespace keelson::efi
