// SPDX-License-Identifier: MIT
//
// Owns images: LoadImage with its verification and measurement, StartImage, and what "code" is
// here. An image is a real PE file and is really laid out in memory; at its entry point lies a
// text, "sim:NAME", and starting it runs what is registered under that name: the loader or the
// stub, compiled for the host, or a payload of the test that stands in for a kernel.
#pragma once

#include <csetjmp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "efi/firmware/entry.h"
#include "efi/firmware/uefi.h"
#include "host-tests/sim/handles.h"

namespace keelson::sim {

class Firmware;

// How a payload ends.
struct Ending {
  enum class Kind : std::uint8_t {
    takes_over,  // as a kernel that runs: never comes back
    returns,
    resets,
  };
  Kind kind = Kind::takes_over;
  Status status = efi::status::success;
  static Ending takes_over() { return {}; }
  static Ending returns(Status status) { return {.kind = Kind::returns, .status = status}; }
  static Ending resets() { return {.kind = Kind::resets}; }
};

// Looks around when it is started; its calls are neither counted nor failed.
using Payload = std::function<Ending(Firmware& firmware, Handle image)>;

// One start of anything.
struct Started {
  std::string program;     // NAME
  std::u16string path;     // the file, if it came from one
  std::u16string options;  // up to the NUL
  std::vector<std::byte> raw_options;
  std::optional<std::vector<std::byte>> initrd;  // as a kernel would fetch it; payloads only
  bool trusted = false;      // it is, or lies in, an image that Secure Boot trusts
  bool in_memory = false;    // called where it was placed, not through StartImage
  bool handed_over = false;  // by the handover protocol: options and initrd are those it names
};

class Images {
 public:
  explicit Images(Firmware& firmware) : firmware_(firmware) {}
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;
  ~Images() { power_cycle(); }

  // ---- What names mean ----
  void add_program(std::string_view name, const efi::Program& program);
  void add_payload(std::string_view name, Payload payload);

  // ---- Secure Boot ----
  // Those of security.h: db.
  void trust(Bytes file);
  bool trusts(Bytes file) const;
  void set_refusal(Status refusal);

  // ---- The services ----
  Status load(bool boot_policy, Handle parent, const EFI_DEVICE_PATH* path, Bytes source,
              Handle* image);
  Status start(Handle image);
  Status unload(Handle image);
  // Comes back only if it refuses.
  Status exit(Handle image, Status status);
  // What the records of programs that LoadImage lays out say of their size, whatever it is.
  void claim_size(std::optional<std::uint64_t> size) { claimed_size_ = size; }
  // Stands for call_entry: runs what lies at `entry`, under the handle of another image.
  Status call(const std::byte* entry, Handle image);
  // Stands for call_handover: runs what lies at `entry`, which was placed with `boot_params`.
  Status hand_over(const std::byte* entry, Handle image, const std::byte* boot_params);

  // Where the kernel that was handed over to was placed.
  std::uint64_t handover_kernel() const { return handover_kernel_; }

  // An image without file, for code of a test that runs as a program.
  Handle make(Handle device, std::string_view program);

  // Who installed a protocol: the image that had control. The firmware's own have no owner.
  void note_owner(Handle handle, const Guid& protocol) { owners_[{handle, protocol}] = running_; }
  bool is_owner(Handle handle, const Guid& protocol) const {
    const auto found = owners_.find({handle, protocol});
    return found != owners_.end() && found->second == running_;
  }

  const std::vector<Started>& started() const { return started_; }
  std::size_t loaded_count() const { return images_.size(); }
  EFI_LOADED_IMAGE_PROTOCOL* record(Handle image);
  const std::vector<std::string>& problems() const { return problems_; }
  void power_cycle();

 private:
  struct Image {
    std::string program;
    std::byte* base = nullptr;
    std::uint64_t size = 0;
    EFI_LOADED_IMAGE_PROTOCOL record{};
    std::vector<std::byte> file_path;
    bool trusted = false;
    bool startable = true;
    bool foreign = false;  // of another machine
    bool started = false;
    Image* outer = nullptr;  // who had control when it was started
    std::jmp_buf resume;
    Status exit_status = 0;
    ~Image();
  };
  Status lay_out(Bytes file, Image& image);
  Status enter(Handle handle, Image& image);
  Status run_program(Handle handle, const std::string& program);
  void note_start(const Image& image, bool in_memory, const std::string& program);
  bool is_inner(Bytes source) const;
  void check_hooks(std::string_view program);
  bool is_pinned(const Image& owner, Bytes file) const;
  void check_placed(const Image& owner, const std::byte* entry);
  Status end_payload(const Ending& ending);

  Firmware& firmware_;
  std::map<std::string, efi::Program> programs_;
  std::map<std::string, Payload> payloads_;
  std::map<Handle, std::unique_ptr<Image>> images_;
  Image* running_ = nullptr;
  std::map<std::pair<Handle, Guid>, Image*> owners_;
  std::string placed_;  // what was called in memory last
  std::uint64_t handover_kernel_ = 0;
  std::optional<std::uint64_t> claimed_size_;
  std::vector<Started> started_;
  std::vector<std::string> problems_;
};

// Nodes of a path up to its end node, with it.
Bytes whole_path(const EFI_DEVICE_PATH* path);
// The text of its FilePath nodes.
std::u16string file_path_text(const EFI_DEVICE_PATH* path);
// What Secure Boot hashes, by a simpler rule than efi/format/authenticode.h: everything but
// checksum, directory entry and table of certificates. Only for files without gaps, as ours are.
std::optional<std::vector<std::byte>> image_hash(Bytes file);

}  // namespace keelson::sim
