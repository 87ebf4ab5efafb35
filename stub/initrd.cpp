// SPDX-License-Identifier: MIT
//
// Orders the parts of the initrd; see initrd.h.
#include "stub/initrd.h"

#include "efi/format/cpio.h"

namespace keelson::stub {
namespace {

// In the order of their archives.
struct ExtraFile {
  UkiSection section;
  std::string_view name;
};
constexpr ExtraFile extra_files[] = {
    {UkiSection::pcrsig, "tpm2-pcr-signature.json"},
    {UkiSection::pcrpkey, "tpm2-pcr-public-key.pem"},
    {UkiSection::osrel, "os-release"},
    {UkiSection::profile, "profile"},
};
constexpr cpio::Layout extra_layout = {.directory = ".extra"};

// Parts in the order in which they are added, empty ones left out.
class Parts {
 public:
  explicit Parts(const InitrdInputs& inputs) : inputs_(inputs) {}
  Result<> add(Bytes part) { return part.empty() ? Result<>() : list_.push(part); }
  Result<> add_measured(Bytes part, EventSubject subject) {
    return has_failed(inputs_.events, inputs_.results, subject) ? Result<>() : add(part);
  }
  Result<> add_section(UkiSection id) { return add(TRY(content(inputs_.image.contents, id))); }
  PageList<Bytes> take() { return std::move(list_); }

 private:
  const InitrdInputs& inputs_;
  PageList<Bytes> list_;
};

}  // namespace

Result<ExtraArchives> make_extra_archives(const ImagePlan& image) {
  ExtraArchives archives;
  for (const ExtraFile& file : extra_files) {
    const Bytes bytes = TRY(content(image.contents, file.section));
    if (bytes.empty()) continue;
    TRY(archives.push(
        TRY(cpio::write_archive(extra_layout, {.name = file.name, .content = bytes}))));
  }
  return archives;
}

Result<PageList<Bytes>> plan_initrd(const InitrdInputs& inputs) {
  const Gathered& gathered = inputs.gathered;
  const std::span<const Addon> addons = gathered.addons.items();
  Parts parts(inputs);
  for (std::size_t i = addons.size(); i-- != 0;)
    TRY(parts.add_measured(addons[i].ucode.bytes(), {Subject::ucode, i}));
  TRY(parts.add_section(UkiSection::ucode));
  TRY(parts.add(gathered.registered_initrd.bytes()));
  TRY(parts.add_section(UkiSection::initrd));
  for (std::size_t i = 0; i < archive_kinds; ++i)
    TRY(parts.add_measured(gathered.archives[i].bytes(), {Subject::archive, i}));
  for (const Pages& archive : inputs.extra) TRY(parts.add(archive.bytes()));
  TRY(parts.add(inputs.boot_secret));
  for (std::size_t i = 0; i < addons.size(); ++i)
    TRY(parts.add_measured(addons[i].initrd.bytes(), {Subject::initrd, i}));
  return parts.take();
}

}  // namespace keelson::stub
