// SPDX-License-Identifier: MIT
//
// Owns a file system in memory as a FAT driver shows it (UEFI 2.10, 13.4 and 13.5):
// case-insensitive names, directories in an order that the seed decides, renaming by FAT's rules, a
// medium that can be full, read-only or changed. It counts what is read and what stays open, and a
// test can interfere with any operation on any file: fail it, or change the volume behind the
// reader's back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

class Volume {
 public:
  using Status = efi::Status;

  enum class Operation : std::uint8_t {
    open_volume,
    open,
    read,
    set_position,
    get_info,
    set_info,
    flush,
    write,
    remove,
  };
  // Runs beside one operation. A status that it returns is what the operation ends with.
  using Interference = std::function<std::optional<Status>(Volume&)>;
  enum class When : std::uint8_t {
    before,  // a status keeps the operation from happening
    after,   // it has happened when the status says that it failed
  };

  struct Usage {
    std::uint64_t opens = 0;
    std::uint64_t reads = 0;  // calls that returned bytes
    std::uint64_t bytes_read = 0;
  };

  explicit Volume(Calls& calls, std::uint64_t seed = 1);
  ~Volume();
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  EFI_SIMPLE_FILE_SYSTEM_PROTOCOL* protocol();

  // ---- Content. Paths are absolute, `\EFI\Linux\a.efi`; directories are made as needed. ----
  Volume& add(std::u16string_view path, Bytes content);
  Volume& add(std::u16string_view path, std::string_view text) { return add(path, bytes_of(text)); }
  Volume& add_directory(std::u16string_view path);
  // Files that are open live on until they are closed.
  void remove(std::u16string_view path);
  bool exists(std::u16string_view path) const;
  // As the file spells itself, not as `path` does; empty if it is not there.
  std::u16string name_of(std::u16string_view path) const;
  std::vector<std::byte> content(std::u16string_view path) const;
  // Full paths of all files, sorted.
  std::vector<std::u16string> files() const;
  // As EFI_FILE_INFO.Attribute.
  void set_attributes(std::u16string_view path, std::uint64_t attributes);
  // A file that says it has this size, whatever it holds.
  void claim_size(std::u16string_view path, std::uint64_t size);

  // ---- State of the medium ----
  void set_read_only(bool read_only) { read_only_ = read_only; }
  void set_free_space(std::uint64_t size) { free_space_ = size; }
  void set_label(std::u16string_view label) { label_ = label; }
  // Everything that is open now answers MEDIA_CHANGED from now on.
  void change_medium() { ++medium_; }
  // Nothing is open any more.
  void power_cycle();
  void set_seed(std::uint64_t seed) { seed_ = seed; }

  // ---- How the driver behaves ----
  // Reads of more return only this much.
  void set_shortened_read(std::uint64_t size) { shortened_read_ = size; }
  // A directory item that did not fit is gone (VirtualBox); otherwise it comes again.
  void set_loses_items_that_do_not_fit(bool loses) { loses_items_ = loses; }

  // Reads, or information, claim that they filled so many bytes.
  void set_read_lie(std::optional<std::uint64_t> size) { read_lie_ = size; }
  void set_info_lie(std::optional<std::uint64_t> size) { info_lie_ = size; }

  // ---- Interference: from the `nth` such operation on that path on, `times` times. An empty path
  // means any. Operations are counted from this call on. ----
  static constexpr std::uint64_t always = ~std::uint64_t{0};
  void interfere(When when, Operation operation, std::u16string_view path, Interference action,
                 std::uint64_t nth = 1, std::uint64_t times = 1);
  // The operation fails, without anything having happened.
  void fail(Operation operation, std::u16string_view path, Status status, std::uint64_t nth = 1,
            std::uint64_t times = always);
  void stop_interfering() { rules_.clear(); }

  // ---- What was done ----
  Usage usage(std::u16string_view path) const;
  void forget_usage() { usage_.clear(); }
  // In order: "rename \a -> \b", "write \a", "create \a", "delete \a", "flush \a".
  const std::vector<std::u16string>& writes() const { return writes_; }
  void forget_writes() { writes_.clear(); }
  // Paths of files and directories that are open (the root: "\").
  std::vector<std::u16string> open_paths() const;

 private:
  struct Node;
  struct OpenFile;
  struct FileSystem;
  struct Rule {
    When when;
    Operation operation;
    std::u16string path;  // folded; empty: any
    Interference action;
    std::uint64_t wait;   // operations that still pass
    std::uint64_t times;  // that are left
  };
  using NodePointer = std::shared_ptr<Node>;

  NodePointer find(std::u16string_view path) const;
  NodePointer make_directories(std::u16string_view path);
  std::optional<Status> interference(When when, Operation operation, const std::u16string& path);
  template <class Act>
  Status operate(Operation operation, const char* call, const std::u16string& path, Act act);
  template <class Act>
  Status open_unless_refused(Operation operation, const char* call, const std::u16string& path,
                             EFI_FILE_HANDLE* opened, Act act);
  std::vector<NodePointer> listing(const Node& directory) const;

  Status open_root(EFI_FILE_HANDLE* root);
  Status open_file(OpenFile& from, EFI_FILE_HANDLE* opened, const char16_t* name,
                   std::uint64_t mode, std::uint64_t attributes);
  Status read(OpenFile& file, UINTN* size, void* buffer);
  Status read_item(OpenFile& directory, UINTN* size, void* buffer);
  Status write(OpenFile& file, UINTN* size, const void* buffer);
  Status set_position(OpenFile& file, std::uint64_t position);
  Status get_info(OpenFile& file, const Guid& type, UINTN* size, void* buffer);
  Status set_info(OpenFile& file, const Guid& type, UINTN size, const void* buffer);
  Status rename(OpenFile& file, std::u16string_view name);
  Status delete_file(OpenFile& file);
  Status may_write(const OpenFile& file) const;

  Calls& calls_;
  std::unique_ptr<FileSystem> file_system_;
  NodePointer root_;
  std::vector<OpenFile*> open_;
  std::vector<Rule> rules_;
  std::map<std::u16string, Usage> usage_;
  std::vector<std::u16string> writes_;
  std::u16string label_ = u"SIMULATED";
  std::uint64_t seed_;
  std::uint64_t medium_ = 0;
  std::uint64_t free_space_ = 100_MiB;
  std::uint64_t shortened_read_ = ~std::uint64_t{0};
  std::optional<std::uint64_t> read_lie_;
  std::optional<std::uint64_t> info_lie_;
  bool read_only_ = false;
  bool loses_items_ = false;
};

}  // namespace keelson::sim
