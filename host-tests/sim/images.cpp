// SPDX-License-Identifier: MIT
//
// Loading, starting and calling images (images.h).
#include "host-tests/sim/images.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "efi/base/digest.h"
#include "efi/format/device_path.h"
#include "efi/format/pe.h"
#include "host-tests/sim/firmware.h"

namespace keelson::sim {
namespace {

constexpr std::string_view mark = "sim:";
constexpr std::size_t longest_name = 64;

// The NAME that lies at `entry`; empty if there is none.
std::string program_at(Bytes image, std::uint64_t entry) {
  if (entry >= image.size()) return {};
  const std::string_view text =
      text_of(image.subspan(entry, std::min<std::size_t>(longest_name, image.size() - entry)));
  if (!text.starts_with(mark) || text.find('\0') == text.npos) return {};
  return std::string(text.substr(mark.size(), text.find('\0') - mark.size()));
}

// The sections of a PE file at their places, zeros elsewhere.
bool copy_sections(const pe::Image& image, Bytes file, std::byte* to) {
  const std::uint64_t size = image.headers().size_of_image;
  std::memset(to, 0, size);
  std::memcpy(to, file.data(),
              std::min<std::uint64_t>({image.headers().size_of_headers, file.size(), size}));
  for (const pe::Section& section : image.sections()) {
    const auto data = image.data(section);
    if (!data.has_value()) return false;
    std::ranges::copy(data->stored, to + pe::value(section.virtual_address));
  }
  return true;
}

std::u16string options_text(Bytes options) {
  std::u16string text;
  for (std::size_t at = 0; at + 2 <= options.size(); at += 2) {
    char16_t unit = 0;
    std::memcpy(&unit, options.data() + at, 2);
    if (unit == 0) break;
    text += unit;
  }
  return text;
}

// As Linux does: the size first, then the bytes.
std::optional<std::vector<std::byte>> fetch_initrd(const Handles& handles) {
  for (const Handle handle : handles.with_protocol(efi::protocol_guid::load_file2)) {
    const auto* const path =
        static_cast<const EFI_DEVICE_PATH*>(handles.find(handle, efi::protocol_guid::device_path));
    if (path == nullptr) continue;
    if (!std::ranges::equal(whole_path(path),
                            std::as_bytes(std::span(device_path::linux_initrd_path))))
      continue;
    auto* const media =
        static_cast<efi::LoadFile2Protocol*>(handles.find(handle, efi::protocol_guid::load_file2));
    const Bytes rest = whole_path(path).last(device_path::end_size);
    UINTN size = 0;
    std::vector<std::byte> initrd;
    const EFI_STATUS asked =
        media->load_file(media, efi::as_device_path(rest), FALSE, &size, nullptr);
    if (asked != efi::status::buffer_too_small) return std::nullopt;
    initrd.resize(size);
    if (media->load_file(media, efi::as_device_path(rest), FALSE, &size, initrd.data()) != 0 ||
        size != initrd.size())
      return std::nullopt;
    return initrd;
  }
  return std::nullopt;
}

}  // namespace

Bytes whole_path(const EFI_DEVICE_PATH* path) {
  const auto whole = efi::device_path_at(path);
  return whole.has_value() ? *whole : Bytes();
}

std::u16string file_path_text(const EFI_DEVICE_PATH* path) {
  std::u16string text;
  device_path::Walk walk(whole_path(path));
  auto node = walk.next();
  while (node.has_value() && *node) {
    if ((*node)->is(device_path::Type::media, 4)) text += options_text((*node)->data());
    node = walk.next();
  }
  return text;
}

std::optional<std::vector<std::byte>> image_hash(Bytes file) {
  const auto image = pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value()) return std::nullopt;
  const pe::Headers& headers = image->headers();
  const std::uint64_t directory =
      headers.directories_offset + pe::directory_certificates * sizeof(pe::DataDirectory);
  const std::uint64_t end =
      headers.certificates.size == 0 ? file.size() : std::uint64_t{headers.certificates.address};
  Hasher hasher = Hasher::sha256();
  hasher.update(file.first(headers.check_sum_offset))
      .update(file.subspan(headers.check_sum_offset + 4, directory - headers.check_sum_offset - 4))
      .update(file.subspan(directory + 8, end - directory - 8))
      .update_zeros((8 - end % 8) % 8);
  const Digest digest = hasher.finish();
  return std::vector<std::byte>(digest.bytes().begin(), digest.bytes().end());
}

Images::Image::~Image() { std::free(base); }

void Images::add_program(std::string_view name, const efi::Program& program) {
  programs_.insert_or_assign(std::string(name), program);
}
void Images::add_payload(std::string_view name, Payload payload) {
  payloads_.insert_or_assign(std::string(name), std::move(payload));
}

void Images::trust(Bytes file) { firmware_.security().trust(file); }
bool Images::trusts(Bytes file) const { return firmware_.security().db_trusts(file); }
void Images::set_refusal(Status refusal) { firmware_.security().set_refusal(refusal); }

// Part of the image that is running, which was verified.
bool Images::is_inner(Bytes source) const {
  return running_ != nullptr && running_->trusted && !source.empty() &&
         source.data() >= running_->base &&
         source.data() + source.size() <= running_->base + running_->size;
}

void Images::check_hooks(std::string_view program) {
  if (firmware_.security().is_hooked())
    problems_.push_back(std::string(program) +
                        " begins with the firmware's verification still hooked");
}

Status Images::lay_out(Bytes file, Image& image) {
  const auto parsed = pe::Image::parse(
      file, pe::Layout::file,
      firmware_.options().cross_machine ? pe::Accept::any_machine : pe::Accept::native);
  if (!parsed.has_value())
    return parsed.error().code == Errc::unsupported ? efi::status::unsupported
                                                    : efi::status::load_error;
  image.foreign = parsed->headers().machine != pe::native_machine;
  image.size = (parsed->headers().size_of_image + page_size - 1) / page_size * page_size;
  image.base = static_cast<std::byte*>(std::aligned_alloc(page_size, image.size));
  std::memset(image.base, 0, image.size);
  if (!copy_sections(*parsed, file, image.base)) return efi::status::load_error;
  image.program = program_at({image.base, image.size}, pe::value(parsed->headers().entry_point));
  return efi::status::success;
}

Status Images::load(bool boot_policy, Handle parent, const EFI_DEVICE_PATH* path, Bytes source,
                    Handle* handle) {
  *handle = nullptr;
  if (!images_.contains(parent) && parent != nullptr) {
    problems_.push_back("LoadImage by what is no image");
    return efi::status::invalid_parameter;
  }
  auto image = std::make_unique<Image>();
  // The device is the one whose path is the longest beginning of this one.
  Handle device = nullptr;
  Bytes rest = whole_path(path);
  const void* behind = path;
  if (path != nullptr && firmware_.handles().locate_path(efi::protocol_guid::simple_file_system,
                                                         &behind, &device) == efi::status::success)
    rest = whole_path(static_cast<const EFI_DEVICE_PATH*>(behind));
  image->file_path.assign(rest.begin(), rest.end());

  std::vector<std::byte> file(source.begin(), source.end());
  if (source.empty()) {
    Volume* const volume = firmware_.volume_on(device);
    if (volume == nullptr) return efi::status::not_found;
    file = volume->content(file_path_text(efi::as_device_path(rest)));
    if (file.empty()) return efi::status::not_found;
  }
  const Status laid_out = lay_out(file, *image);
  if (efi::failed(laid_out)) return laid_out;
  Security& security = firmware_.security();
  const bool inner = is_inner(source);
  image->trusted = security.db_trusts(file) || security.shim_trusts(file) || inner;
  const Status verdict = security.verify({.path = path,
                                          .file = source.empty() ? Bytes(file) : source,
                                          .boot_policy = boot_policy,
                                          .at_boot = parent == nullptr,
                                          .inner = inner});
  image->startable = !efi::failed(verdict);
  if (efi::failed(verdict) && verdict != efi::status::security_violation) return verdict;

  EFI_LOADED_IMAGE_PROTOCOL& record = image->record;
  record.Revision = EFI_LOADED_IMAGE_PROTOCOL_REVISION;
  record.ParentHandle = parent;
  record.SystemTable = &firmware_.table();
  record.DeviceHandle = device;
  record.FilePath = efi::as_device_path(image->file_path);
  record.ImageBase = image->base;
  record.ImageSize = parent == nullptr ? image->size : claimed_size_.value_or(image->size);
  record.ImageCodeType = EfiLoaderCode;
  record.ImageDataType = EfiLoaderData;
  *handle = firmware_.handles().add(nullptr, efi::protocol_guid::loaded_image, &record);
  const bool startable = image->startable;
  images_.emplace(*handle, std::move(image));
  return startable ? efi::status::success : efi::status::security_violation;
}

Handle Images::make(Handle device, std::string_view program) {
  auto image = std::make_unique<Image>();
  image->program = program;
  image->size = page_size;
  image->base = static_cast<std::byte*>(std::aligned_alloc(page_size, page_size));
  std::memset(image->base, 0, page_size);
  image->record.SystemTable = &firmware_.table();
  image->record.DeviceHandle = device;
  image->record.ImageBase = image->base;
  image->record.ImageSize = image->size;
  image->record.ImageCodeType = EfiLoaderCode;
  const Handle handle =
      firmware_.handles().add(nullptr, efi::protocol_guid::loaded_image, &image->record);
  images_.emplace(handle, std::move(image));
  return handle;
}

EFI_LOADED_IMAGE_PROTOCOL* Images::record(Handle image) {
  const auto found = images_.find(image);
  return found == images_.end() ? nullptr : &found->second->record;
}

void Images::note_start(const Image& image, bool in_memory, const std::string& program) {
  check_hooks(program);
  const auto* const options = static_cast<const std::byte*>(image.record.LoadOptions);
  Started started;
  started.program = program;
  started.path = file_path_text(image.record.FilePath);
  started.trusted = image.trusted;
  started.in_memory = in_memory;
  if (options != nullptr)
    started.raw_options.assign(options, options + image.record.LoadOptionsSize);
  started.options = options_text(started.raw_options);
  if (payloads_.contains(program)) started.initrd = fetch_initrd(firmware_.handles());
  started_.push_back(std::move(started));
}

Status Images::end_payload(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::takes_over:
      firmware_.end_run(End::took_over);
    case Ending::Kind::resets:
      firmware_.end_run(End::reset);
    case Ending::Kind::returns:
      break;
  }
  return ending.status;
}

// No local here owns anything when control does not come back.
Status Images::run_program(Handle handle, const std::string& program) {
  if (const auto product = programs_.find(program); product != programs_.end())
    return efi::run(handle, &firmware_.table(), product->second);
  const auto payload = payloads_.find(program);
  if (payload == payloads_.end()) return efi::status::unsupported;
  Ending ending;
  {
    const Unwatched unwatched(firmware_.calls());
    ending = payload->second(firmware_, handle);
  }
  return end_payload(ending);
}

Status Images::enter(Handle handle, Image& image) {
  if (setjmp(image.resume) != 0) return image.exit_status;
  return run_program(handle, image.program);
}

Status Images::start(Handle handle) {
  const auto found = images_.find(handle);
  if (found == images_.end() || found->second->started) {
    problems_.push_back("StartImage of what is no image, or was started before");
    return efi::status::invalid_parameter;
  }
  Image& image = *found->second;
  if (!image.startable) {
    problems_.push_back("StartImage of an image that Secure Boot refused");
    return efi::status::security_violation;
  }
  if (image.foreign) return efi::status::unsupported;
  image.started = true;
  image.outer = std::exchange(running_, &image);
  note_start(image, false, image.program);
  const EFI_LOADED_IMAGE_PROTOCOL before = image.record;
  const Status status = enter(handle, image);
  running_ = image.outer;
  if (std::memcmp(&before, &image.record, sizeof(before)) != 0)
    problems_.push_back(image.program + " returned with its loaded-image record changed");
  unload(handle);
  return status;
}

Status Images::unload(Handle handle) {
  const auto found = images_.find(handle);
  if (found == images_.end()) {
    problems_.push_back("UnloadImage of what is no image");
    return efi::status::invalid_parameter;
  }
  firmware_.handles().uninstall(handle, efi::protocol_guid::loaded_image, &found->second->record);
  images_.erase(found);
  return efi::status::success;
}

Status Images::exit(Handle handle, Status status) {
  const auto found = images_.find(handle);
  if (found == images_.end() || !found->second->started || found->second.get() != running_)
    return efi::status::invalid_parameter;
  found->second->exit_status = status;
  std::longjmp(found->second->resume, 1);
}

// Whether `file` lies in allocated memory and is what the running image says that its kernel is.
bool Images::is_pinned(const Image& owner, Bytes file) const {
  const auto image = pe::Image::parse({owner.base, owner.size}, pe::Layout::loaded);
  if (!image.has_value() || !firmware_.memory().holds(file)) return false;
  const auto section = image->find(".linuxh");
  const auto hash = section ? image->data(*section) : Result<pe::SectionData>();
  return hash.has_value() && std::ranges::equal(hash->stored, sha256(file).bytes());
}

// What was placed must be what was verified: the content of .linux, which the path names, inside
// the image that is running, or the file that a thin one pins; and the firmware must be able to
// execute it.
void Images::check_placed(const Image& owner, const std::byte* entry) {
  const auto& record = owner.record;
  const auto* const base = static_cast<const std::byte*>(record.ImageBase);
  if (entry < base || entry >= base + record.ImageSize)
    return problems_.push_back("the kernel's entry point is not where its record says");
  if ((firmware_.memory().rights_at(entry) & efi::memory_execute_protect) != 0)
    problems_.push_back("the kernel's first page must not be executed");

  device_path::Walk walk(whole_path(record.FilePath));
  const auto node = walk.next();
  if (!node.has_value() || !*node || !(*node)->is(device_path::Type::hardware, 3) ||
      (*node)->data().size() != 20)
    return problems_.push_back("the kernel's path is not where it lies in memory");
  std::uint64_t range[2];
  std::memcpy(range, (*node)->data().data() + 4, sizeof(range));
  const auto start = reinterpret_cast<std::uintptr_t>(owner.base);
  if (range[1] < range[0]) return problems_.push_back("the kernel's path has no length");
  const Bytes file(reinterpret_cast<const std::byte*>(range[0]), range[1] - range[0] + 1);
  const bool inside = range[0] >= start && range[1] < start + owner.size;
  if (!inside && !is_pinned(owner, file))
    return problems_.push_back("the kernel does not come from the image that is running");
  const auto kernel = pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine);
  if (!kernel.has_value() || kernel->headers().size_of_image != record.ImageSize)
    return problems_.push_back("the kernel is no image of the size that its record says");
  std::vector<std::byte> expected(kernel->headers().size_of_image);
  copy_sections(*kernel, file, expected.data());
  for (const pe::Section& section : kernel->sections()) {
    const std::size_t at = pe::value(section.virtual_address);
    if (std::memcmp(base + at, expected.data() + at, section.virtual_size) != 0)
      problems_.push_back("the kernel in memory differs from the one that was verified");
  }
}

Status Images::call(const std::byte* entry, Handle handle) {
  const auto found = images_.find(handle);
  if (found == images_.end()) {
    problems_.push_back("a kernel is called under what is no image");
    return efi::status::invalid_parameter;
  }
  const Image& owner = *found->second;
  if (!owner.foreign)
    check_placed(owner, entry);
  else if (entry < owner.base || entry >= owner.base + owner.size)
    problems_.push_back("a foreign kernel is called where it is not");
  const auto* const base = static_cast<const std::byte*>(owner.record.ImageBase);
  placed_ = program_at({base, static_cast<std::size_t>(owner.record.ImageSize)},
                       static_cast<std::uint64_t>(entry - base));
  note_start(owner, true, placed_);
  return run_program(handle, placed_);
}

// As the kernel would find them, by the fields of boot_params (Linux, boot.rst and zero-page.rst).
Status Images::hand_over(const std::byte* entry, Handle handle, const std::byte* boot_params) {
  const auto found = images_.find(handle);
  if (found == images_.end()) {
    problems_.push_back("a kernel is handed over to under what is no image");
    return efi::status::invalid_parameter;
  }
  const auto field = [&](std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, boot_params + at, sizeof(value));
    return std::uint64_t{value};
  };
  const std::uint64_t kernel =
      field(0x214) - (std::to_integer<std::uint64_t>(boot_params[0x1f1]) + 1) * 512;
  const std::uint64_t line = field(0x228) | field(0xc8) << 32;
  const std::uint64_t initrd = field(0x218) | field(0xc0) << 32;
  const std::uint64_t initrd_size = field(0x21c) | field(0xc4) << 32;
  const auto* const base = reinterpret_cast<const std::byte*>(kernel);
  handover_kernel_ = kernel;
  const auto offset = static_cast<std::uint64_t>(entry - base);
  Started started;
  started.program = placed_ = program_at({base, offset + longest_name}, offset);
  started.path = file_path_text(found->second->record.FilePath);
  started.trusted = found->second->trusted;
  started.in_memory = started.handed_over = true;
  if (line != 0)
    for (const char* at = reinterpret_cast<const char*>(line); *at != 0; ++at)
      started.options += static_cast<char16_t>(*at);
  const auto* const bytes = reinterpret_cast<const std::byte*>(initrd);
  if (initrd_size != 0) started.initrd.emplace(bytes, bytes + initrd_size);
  check_hooks(placed_);
  if (fetch_initrd(firmware_.handles()))
    problems_.push_back("an initrd is registered for a kernel that does not ask for it");
  if (kernel + offset >= std::uint64_t{1} << 32 ||
      reinterpret_cast<std::uintptr_t>(boot_params) >= std::uint64_t{1} << 32)
    problems_.push_back("kernel or boot_params above 4 GiB");
  if ((std::to_integer<unsigned>(boot_params[0x236]) & 2) == 0 &&
      (line >= 0xa0000 || initrd + initrd_size > std::uint64_t{1} << 32))
    problems_.push_back("command line or initrd where the kernel cannot see it");
  started_.push_back(std::move(started));
  return run_program(handle, placed_);
}

void Images::power_cycle() {
  images_.clear();
  owners_.clear();
  started_.clear();
  problems_.clear();
  running_ = nullptr;
}

}  // namespace keelson::sim

namespace keelson::efi {

// The simulation cannot execute what lies in memory (efi/firmware/image.h).
Status call_entry(const std::byte* entry, Handle image) {
  return sim::Firmware::current().images().call(entry, image);
}

void call_handover(const std::byte* entry, Handle image, std::byte* boot_params) {
  sim::Firmware::current().images().hand_over(entry, image, boot_params);
}

}  // namespace keelson::efi
