// SPDX-License-Identifier: MIT
//
// Owns assembling UKIs: see uki_builder.h.
#include "linker/uki_builder.h"

#include <algorithm>
#include <list>

#include "efi/base/digest.h"
#include "efi/format/pe.h"
#include "efi/format/sbat.h"
#include "efi/format/thin_uki.h"
#include "linker/pe_writer.h"

namespace keelson::linker {
namespace {

constexpr std::string_view default_profile = "ID=main";

std::optional<pe::Image> as_pe(Bytes bytes) {
  const auto image = pe::Image::parse(bytes, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value()) return std::nullopt;
  return *image;
}

// The whole content of a section of a PE file; empty if there is none.
std::string section_text(const pe::Image& image, UkiSection id) {
  const auto section = image.find(row(id).name);
  if (!section) return {};
  const auto data = image.data(*section);
  if (!data.has_value()) return {};
  return std::string(text_of(data->stored));
}

class Builder {
 public:
  explicit Builder(const UkiInputs& inputs) : in_(inputs) {}

  Outcome<BuiltUki> build() {
    TRY(check_inputs());
    auto writer = TRY(PeWriter::open(in_.stub));
    writer_ = &writer;
    TRY(refuse_sections_of(in_.stub));
    if (in_.kind == UkiKind::profile) TRY(add(UkiSection::profile, *in_.profile));
    TRY(add_base());
    for (const CustomSection& custom : in_.custom) TRY(add_custom(custom));
    if (in_.kind != UkiKind::profile || !in_.sbat.empty()) TRY(add_sbat());
    if (in_.kind != UkiKind::profile) TRY(add_base_profile());
    if (in_.pcrsig) TRY(add(UkiSection::pcrsig, *in_.pcrsig));
    for (const JoinedProfile& profile : in_.joined) TRY(join(profile));
    if (in_.kernel) follow_kernel_nx();
    built_.image = TRY(writer.write());
    if (in_.thin && in_.kind == UkiKind::uki) TRY(check_pins(built_.image));
    return std::move(built_);
  }

 private:
  Outcome<> check_inputs() const {
    if (in_.kind == UkiKind::uki && !in_.kernel)
      return refuse(Errc::not_found, ".linux", "a UKI needs a kernel");
    if (in_.kernel && in_.kernel->empty())
      return refuse(Errc::malformed, ".linux", "kernel is empty");
    if (in_.kind == UkiKind::addon && in_.kernel)
      return refuse(Errc::malformed, ".linux", "an add-on has no kernel");
    if (in_.kind == UkiKind::profile && !in_.profile)
      return refuse(Errc::not_found, ".profile", "a profile needs this section");
    if (in_.kind != UkiKind::uki && !in_.joined.empty())
      return refuse(Errc::malformed, ".profile", "profiles are joined to UKIs only");
    return in_.thin ? check_thin() : Outcome<>();
  }
  Outcome<> check_thin() const {
    if (in_.kind == UkiKind::addon)
      return refuse(Errc::malformed, ".linuxh", "an add-on pins no files");
    if (in_.kind == UkiKind::profile) return {};
    if (in_.initrds.empty())
      return refuse(Errc::not_found, ".initrd", "a thin UKI needs an initrd");
    if (!in_.cmdline || in_.cmdline->empty())
      return refuse(Errc::not_found, ".cmdline", "a thin UKI needs a command line");
    return {};
  }

  // A stub that brings its own contents would win over, or be mixed with, ours.
  static Outcome<> refuse_sections_of(Bytes stub) {
    const pe::Image image = TRY(pe::Image::parse(stub, pe::Layout::file, pe::Accept::any_machine));
    for (const pe::Section& section : image.sections()) {
      const auto id = find_uki_section(section.name());
      if (id && *id != UkiSection::sbat)
        return refuse(Errc::malformed, section.name(),
                      "the stub has this section already: it is a finished UKI or add-on");
    }
    return {};
  }

  Outcome<> add(UkiSection id, Bytes content) {
    return writer_->add(row(id).name, content,
                        id == UkiSection::kernel ? kernel_section_flags : data_section_flags);
  }
  // Empty sections count only in profiles, where they mask those of the base.
  Outcome<> add_optional(UkiSection id, const std::optional<Bytes>& content) {
    if (!content || (content->empty() && in_.kind != UkiKind::profile)) return {};
    return add(id, *content);
  }
  Outcome<> add_candidates(UkiSection id, const std::vector<Bytes>& contents) {
    for (const Bytes content : contents) {
      if (content.empty()) return refuse(Errc::malformed, row(id).name, "empty candidate");
      TRY(add(id, content));
    }
    return {};
  }

  Outcome<> add_base() {
    for (const UkiSection id : uki_file_order) {
      switch (id) {
        case UkiSection::osrel:
          TRY(add_optional(id, in_.osrel));
          break;
        case UkiSection::cmdline:
          TRY(add_optional(id, in_.cmdline));
          break;
        case UkiSection::dtb:
          TRY(add_optional(id, in_.dtb));
          break;
        case UkiSection::dtbauto:
          TRY(add_candidates(id, in_.dtbauto));
          break;
        case UkiSection::hwids:
          TRY(add_optional(id, in_.hwids));
          break;
        case UkiSection::uname:
          TRY(add_uname());
          break;
        case UkiSection::splash:
          TRY(add_optional(id, in_.splash));
          break;
        case UkiSection::pcrpkey:
          TRY(add_optional(id, in_.pcrpkey));
          break;
        case UkiSection::kernel:
          TRY(add_kernel());
          break;
        case UkiSection::initrd:
          TRY(add_initrd());
          break;
        case UkiSection::kernel_hash:
          if (in_.kernel) TRY(add_hash(id, *in_.kernel));
          break;
        case UkiSection::initrd_hash:
          if (!in_.initrds.empty()) TRY(add_hash(id, initrd()));
          break;
        case UkiSection::efifw:
          TRY(add_candidates(id, in_.efifw));
          break;
        case UkiSection::ucode:
          TRY(add_optional(id, in_.ucode));
          break;
        case UkiSection::sbat:
        case UkiSection::profile:
        case UkiSection::pcrsig:
          break;  // behind the custom sections
      }
    }
    return {};
  }

  Outcome<> add_uname() {
    if (in_.uname) return add_optional(UkiSection::uname, in_.uname);
    if (!in_.kernel) return {};
    const auto found = find_uname(*in_.kernel);
    if (!found) {
      built_.notes.push_back("the kernel does not say its version: no .uname section");
      return {};
    }
    return add(UkiSection::uname, keep(*found));
  }

  Outcome<> add_kernel() {
    if (!in_.kernel) return {};
    if (in_.thin) return add_path(UkiSection::kernel, in_.thin->kernel);
    return add(UkiSection::kernel, *in_.kernel);
  }

  Outcome<> add_initrd() {
    if (in_.initrds.empty()) return {};
    if (in_.thin && !initrd().empty()) return add_path(UkiSection::initrd, in_.thin->initrd);
    return add_optional(UkiSection::initrd, initrd());
  }

  Bytes initrd() {
    if (in_.initrds.size() == 1) return in_.initrds.front();
    if (!joined_initrd_) joined_initrd_ = kept_.emplace_back(join_initrds(in_.initrds));
    return *joined_initrd_;
  }

  // Text, whatever the section is called.
  Outcome<> add_path(UkiSection id, std::string_view path) {
    return writer_->add(row(id).name, bytes_of(path), data_section_flags);
  }
  Outcome<> add_hash(UkiSection id, Bytes file) {
    if (!in_.thin) return {};
    if (file.empty()) return add(id, {});  // a profile that masks the initrd masks its pin
    return add(id, keep(text_of(sha256(file).bytes())));
  }

  Outcome<> add_custom(const CustomSection& custom) {
    if (find_uki_section(custom.name))
      return refuse(Errc::malformed, custom.name, "this section has an option of its own");
    if (writer_->has(custom.name))
      return refuse(Errc::malformed, custom.name, "the image has a section of this name already");
    return writer_->add(custom.name, custom.content, data_section_flags);
  }

  Outcome<> add_sbat() {
    std::string stub_text, kernel_text;
    const auto stub = as_pe(in_.stub);
    if (stub && in_.kind == UkiKind::uki) stub_text = section_text(*stub, UkiSection::sbat);
    const auto kernel = in_.kernel ? as_pe(*in_.kernel) : std::nullopt;
    if (kernel) kernel_text = section_text(*kernel, UkiSection::sbat);
    std::vector<std::string_view> extra = in_.sbat;
    if (extra.empty())
      extra.push_back(in_.kind == UkiKind::addon ? sbat::default_addon_line
                                                 : sbat::default_uki_line);
    const Bytes merged = keep(TRY(merge_sbat(stub_text, kernel_text, extra)));
    if (!writer_->has(row(UkiSection::sbat).name)) return add(UkiSection::sbat, merged);
    const auto how = TRY(writer_->replace(row(UkiSection::sbat).name, merged));
    if (how == PeWriter::Replaced::moved)
      built_.notes.push_back(
          "the stub has no room for the longer .sbat: moved behind its sections");
    return {};
  }

  Outcome<> add_base_profile() {
    if (in_.profile) return add(UkiSection::profile, *in_.profile);
    if (in_.joined.empty()) return {};
    return add(UkiSection::profile, bytes_of(default_profile));
  }

  // A kernel that breaks the rules of NX must not run under its promise.
  void follow_kernel_nx() {
    const auto kernel = as_pe(*in_.kernel);
    if (!kernel) built_.notes.push_back("the kernel is not a PE image: our stub cannot start it");
    if (kernel && kernel->headers().nx_compat()) return;
    if (writer_->headers().nx_compat())
      built_.notes.push_back("the kernel lacks NX_COMPAT, so the UKI does too");
    writer_->clear_nx_compat();
  }

  // Copies `.profile` and the sections behind it that a profile can have. What stands before it is
  // the stub's, by which that file could be built.
  Outcome<> join(const JoinedProfile& joined) {
    constexpr auto profile_name = row(UkiSection::profile).name;
    const auto image = pe::Image::parse(joined.pe, pe::Layout::file, pe::Accept::any_machine);
    if (!image.has_value())
      return refuse(image.error().code, "profile to join", image.error().what);
    bool found = false;
    std::array<bool, uki_sections.size()> seen{};
    for (const pe::Section& section : image->sections()) {
      const auto id = find_uki_section(section.name());
      if (!id || !row(*id).joined) {
        if (found)
          built_.notes.push_back("a profile's " + std::string(section.name()) +
                                 " is not joined: give it for the image itself");
        continue;
      }
      const auto slot = static_cast<std::size_t>(*id);
      if (*id == UkiSection::profile) {
        if (found)
          return refuse(Errc::malformed, profile_name, "more than one in a profile to join");
        found = true;
      } else if (!found && *id == UkiSection::sbat) {
        continue;
      } else if (!found) {
        return refuse(Errc::malformed, section.name(),
                      "stands before .profile in a profile to join");
      }
      if (seen[slot] && !row(*id).many)
        return refuse(Errc::malformed, section.name(), "more than one in a profile to join");
      seen[slot] = true;
      TRY(add(*id, TRY(content_of(*image, section))));
    }
    if (!found) return refuse(Errc::not_found, profile_name, "missing in a profile to join");
    TRY(check_pins_of_profile(seen));
    if (joined.pcrsig) TRY(add(UkiSection::pcrsig, *joined.pcrsig));
    return {};
  }

  // As the stub will read them, in every profile.
  static Outcome<> check_pins(Bytes image) {
    const uki::Uki uki = TRY(uki::Uki::parse(image, pe::Layout::file, pe::Accept::any_machine));
    TextArena arena;
    std::optional<uki::Range> range = TRY(uki.profile(0));
    for (; range; range = uki.next_profile(*range)) {
      const auto pins = thin_uki::find_pins(uki, uki.effective(*range), arena);
      if (pins.has_value()) continue;
      const auto section = static_cast<std::size_t>(pins.error().where);
      return refuse(pins.error().code,
                    section < uki_sections.size() ? uki_sections[section].name : "thin image",
                    pins.error().what);
    }
    return {};
  }

  // In a thin UKI a file and its hash replace those of the base together.
  Outcome<> check_pins_of_profile(std::span<const bool> seen) const {
    constexpr std::pair<UkiSection, UkiSection> pinned[] = {
        {UkiSection::kernel, UkiSection::kernel_hash},
        {UkiSection::initrd, UkiSection::initrd_hash}};
    for (const auto& [file, hash] : pinned) {
      const bool has_file = seen[static_cast<std::size_t>(file)];
      const bool has_hash = seen[static_cast<std::size_t>(hash)];
      if (in_.thin && has_file != has_hash)
        return refuse(Errc::malformed, row(file).name,
                      "a profile for a thin UKI has to be built thin, too");
      if (!in_.thin && has_hash)
        return refuse(Errc::malformed, row(hash).name, "a thin profile needs a thin UKI");
    }
    return {};
  }

  // With its zero tail, which is measured.
  Outcome<Bytes> content_of(const pe::Image& image, const pe::Section& section) {
    const auto data = TRY(image.data(section));
    if (data.zeros == 0) return data.stored;
    std::vector<std::byte>& whole = kept_.emplace_back(data.stored.begin(), data.stored.end());
    whole.resize(static_cast<std::size_t>(data.size()));
    return Bytes(whole);
  }

  Bytes keep(std::string_view text) {
    const Bytes bytes = bytes_of(text);
    return kept_.emplace_back(bytes.begin(), bytes.end());
  }

  const UkiInputs& in_;
  PeWriter* writer_ = nullptr;
  BuiltUki built_;
  std::optional<Bytes> joined_initrd_;
  std::list<std::vector<std::byte>> kept_;  // contents made here; borrowed by the writer
};

}  // namespace

Outcome<BuiltUki> build_uki(const UkiInputs& inputs) { return Builder(inputs).build(); }

std::optional<std::string> find_uname(Bytes kernel) {
  const auto up_to_blank = [](std::string_view text) -> std::optional<std::string> {
    const std::string_view word = text.substr(0, text.find_first_of(std::string_view(" \n\0", 3)));
    if (word.empty() || word.size() > 64 ||
        !std::ranges::all_of(word, [](char c) { return c > 0x20 && c < 0x7f; }))
      return std::nullopt;
    return std::string(word);
  };
  const std::string_view text = text_of(kernel);
  // x86 boot protocol: "HdrS" at 0x202, kernel_version at 0x20e, counted from 0x200.
  if (text.size() > 0x210 && text.substr(0x202, 4) == "HdrS") {
    const auto version = load<Le<std::uint16_t>>(kernel, 0x20e, "setup header");
    if (version.has_value() && *version != 0 && std::size_t{*version} + 0x200 < text.size())
      return up_to_blank(text.substr(std::size_t{*version} + 0x200));
  }
  constexpr std::string_view banner = "Linux version ";
  for (std::size_t at = text.find(banner); at != std::string_view::npos;
       at = text.find(banner, at + 1)) {
    const auto version = up_to_blank(text.substr(at + banner.size(), 65));
    if (version && *version != "%s") return version;
  }
  return std::nullopt;
}

void append_initrd(std::vector<std::byte>& joined, Bytes initrd) {
  joined.insert(joined.end(), initrd.begin(), initrd.end());
  joined.resize((joined.size() + 3) & ~std::size_t{3});
}

std::vector<std::byte> join_initrds(std::span<const Bytes> initrds) {
  if (initrds.size() == 1) return {initrds.front().begin(), initrds.front().end()};
  std::vector<std::byte> joined;
  for (const Bytes initrd : initrds) append_initrd(joined, initrd);
  return joined;
}

Outcome<std::string> merge_sbat(std::string_view stub, std::string_view kernel,
                                std::span<const std::string_view> extra) {
  struct Source {
    std::string_view name, text;
  };
  std::vector<Source> sources = {{".sbat of the stub", stub}, {".sbat of the kernel", kernel}};
  for (const std::string_view text : extra) sources.push_back({".sbat", text});
  std::vector<std::string_view> texts;
  std::size_t size = sbat::merge_overhead;
  for (const Source& source : sources) {
    sbat::Lines lines(source.text);
    while (const auto line = lines.next()) {
      const auto component = sbat::parse_line(*line);
      if (!component.has_value())
        return refuse(component.error().code, source.name, component.error().what);
    }
    texts.push_back(source.text);
    size += source.text.size() + sbat::merge_overhead;
  }
  std::string merged(size, '\0');
  Writer writer(std::as_writable_bytes(std::span(merged)));
  TRY(sbat::merge(texts, writer));
  merged.resize(writer.size());
  return merged;
}

}  // namespace keelson::linker
