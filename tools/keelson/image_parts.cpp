// SPDX-License-Identifier: MIT
//
// Options and files of the parts; see image_parts.h.
#include "tools/keelson/image_parts.h"

#include "efi/format/uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/hardware_inputs.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/stub_checks.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

// "--cmdline=TEXT": white space collapsed, as ukify does; "@FILE" is taken as it is.
std::string collapsed(const std::string& text) {
  if (text.starts_with('@')) return text;
  std::string result;
  bool gap = false;
  for (const char c : text) {
    const bool white = c == ' ' || (c >= '\t' && c <= '\r');
    if (!white) {
      if (gap && !result.empty()) result += ' ';
      result += c;
    }
    gap = white;
  }
  return result;
}

std::string host_os_release() {
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"})
    if (fs::is_regular_file(path)) return std::string("@") + path;
  throw Failure("--os-release: this machine has no os-release file; give one, or an empty text");
}

linker::CustomSection custom_section(const std::string& argument, Inputs& inputs) {
  const std::size_t colon = argument.find(':');
  if (colon == std::string::npos || colon == 0)
    throw Failure("--section=" + argument + ": expected NAME:TEXT or NAME:@FILE");
  return {argument.substr(0, colon), inputs.text(argument.substr(colon + 1))};
}

// "@FILE" is from that file.
std::string source_of(const char* option, const std::string& argument) {
  return argument.starts_with('@') ? argument.substr(1) : option;
}

Bytes profile_in(Bytes bytes, const std::string& path, const StubChecks& checks) {
  const pe::Image image = whole_image(bytes, path);
  if (!or_fail(uki::Uki::parse(image), path).has_profiles())
    throw Failure(path +
                  ": holds no profile; build it with --profile= and without --join-profile=");
  for (const UkiSection id : {UkiSection::osrel, UkiSection::cmdline, UkiSection::profile})
    if (const auto section = image.find(row(id).name))
      checks.listed_text(or_fail(image.data(*section), path).stored,
                         path + ": " + std::string(row(id).name));
  return bytes;
}

// A directory of descriptions, or a table that is one already.
std::optional<Bytes> hardware_ids_in(const std::string& path, Inputs& inputs) {
  if (path.empty()) return std::nullopt;
  return fs::is_directory(path) ? inputs.keep(hwids_of(path)) : inputs.file(path);
}

// A version that was read from a file ends with a line end there, but not in add-ons it has to
// equal.
std::string_view without_line_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

// In a profile an empty text that was given stays: it masks the image's.
std::optional<Bytes> maskable_text(const std::optional<std::string>& text, linker::UkiKind kind,
                                   Inputs& inputs) {
  if (text && text->empty() && kind == linker::UkiKind::profile) return Bytes();
  return inputs.optional_text(text.value_or(""));
}

}  // namespace

std::optional<Bytes> Inputs::initrd(const std::vector<std::string>& paths) {
  if (paths.empty()) return std::nullopt;
  if (paths.size() == 1) return file(paths.front());
  std::uintmax_t size = 0;
  for (const std::string& path : paths) {
    std::error_code unknown;  // then reading it says why
    const std::uintmax_t more = fs::file_size(path, unknown);
    if (!unknown) size += more + 3;
  }
  Buffer joined;
  joined.reserve(static_cast<std::size_t>(size));
  for (const std::string& path : paths) linker::append_initrd(joined, read_file(path));
  return keep(std::move(joined));
}

ImageParts::ImageParts() : arch(native_arch()) {}

linker::UkiKind ImageParts::kind() const {
  if (!profile.empty() && profiles_to_join.empty()) return linker::UkiKind::profile;
  return linux_file.empty() ? linker::UkiKind::addon : linker::UkiKind::uki;
}

std::vector<std::string> ImageParts::files() const {
  std::vector<std::string> names = {linux_file, microcode, splash, devicetree,
                                    pcrpkey,    hwids,     stub};
  for (const auto* more : {&initrds, &devicetrees_auto, &efifw, &profiles_to_join})
    names.insert(names.end(), more->begin(), more->end());
  const auto add_text = [&names](const std::string& argument) {
    if (argument.starts_with('@')) names.push_back(argument.substr(1));
  };
  for (const auto& text : {cmdline, os_release, uname})
    if (text) add_text(*text);
  for (const std::string& text : {profile, pcrsig}) add_text(text);
  for (const std::string& lines : sbat) add_text(lines);
  for (const std::string& section : sections)
    if (const std::size_t colon = section.find(':'); colon != std::string::npos)
      add_text(section.substr(colon + 1));
  std::erase(names, "");
  return names;
}

linker::UkiInputs ImageParts::read(Inputs& inputs) const {
  linker::UkiInputs uki;
  uki.kind = kind();
  const bool addon = linux_file.empty();
  const std::string stub_file =
      stub.empty() ? find_program(addon ? Program::addon : Program::stub, arch).string() : stub;
  uki.stub = inputs.file(stub_file);
  const StubChecks checks(uki.stub, stub_file);
  uki.kernel = inputs.optional_file(linux_file);
  const std::string os_release_used = os_release ? *os_release : addon ? "" : host_os_release();
  uki.osrel = inputs.optional_text(os_release_used);
  uki.cmdline = maskable_text(cmdline.transform(collapsed), uki.kind, inputs);
  uki.ucode = inputs.optional_file(microcode);
  uki.splash = inputs.optional_file(splash);
  uki.dtb = inputs.optional_file(devicetree);
  uki.pcrpkey = inputs.optional_file(pcrpkey);
  uki.hwids = hardware_ids_in(hwids, inputs);
  for (const std::string& path : devicetrees_auto) uki.dtbauto.push_back(inputs.file(path));
  for (const std::string& path : efifw) uki.efifw.push_back(inputs.keep(efifw_of(path)));
  uki.uname = maskable_text(uname, uki.kind, inputs);
  if (uki.uname) uki.uname = bytes_of(without_line_end(text_of(*uki.uname)));
  uki.profile = inputs.optional_text(profile);
  uki.pcrsig = inputs.optional_text(pcrsig);
  if (const auto initrd = inputs.initrd(initrds)) uki.initrds = {*initrd};
  for (const std::string& lines : sbat) uki.sbat.push_back(text_of(inputs.text(lines)));
  for (const std::string& section : sections) uki.custom.push_back(custom_section(section, inputs));
  for (const std::string& path : profiles_to_join)
    uki.joined.push_back(
        {.pe = profile_in(inputs.file(path), path, checks), .pcrsig = std::nullopt});
  check(uki, os_release_used, checks);
  return uki;
}

void ImageParts::check(const linker::UkiInputs& uki, const std::string& os_release_used,
                       const StubChecks& checks) const {
  if (uki.kernel) checks.kernel(*uki.kernel, linux_file);
  if (uki.splash) checks.splash(*uki.splash, splash);
  if (uki.dtb) checks.device_tree(*uki.dtb, devicetree);
  if (uki.hwids) checks.hardware_ids(*uki.hwids, hwids);
  for (std::size_t i = 0; i < uki.dtbauto.size(); ++i)
    checks.candidate_device_tree(uki.dtbauto[i], devicetrees_auto[i]);
  if (uki.cmdline) checks.command_line(*uki.cmdline, source_of("--cmdline", cmdline.value_or("")));
  if (uki.kind == linker::UkiKind::addon) return;  // in no menu
  if (uki.osrel) checks.listed_text(*uki.osrel, source_of("--os-release", os_release_used));
  if (uki.profile) checks.listed_text(*uki.profile, source_of("--profile", profile));
}

void ImageParts::add_options(CLI::App& command) {
  const auto file = [&](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->type_name("FILE");
  };
  const auto text = [&](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->type_name("TEXT|@FILE");
  };
  // An empty text that is given is not the same as none.
  const auto given_text = [&](const char* name, std::optional<std::string>& value,
                              const char* help) {
    command
        .add_option_function<std::string>(
            name, [&value](const std::string& given) { value = given; }, help)
        ->type_name("TEXT|@FILE");
  };
  file("--linux", linux_file, "Kernel image");
  add_repeatable(command, "--initrd", initrds, "Initrd; several are joined", "FILE");
  given_text("--cmdline", cmdline, "Kernel command line");
  given_text("--os-release", os_release, "os-release text (default: this machine's)");
  given_text("--uname", uname, "Kernel version (default: taken from the kernel)");
  file("--microcode", microcode, "Microcode archive");
  file("--splash", splash, "Boot picture, BMP");
  file("--devicetree", devicetree, "Device tree blob");
  add_repeatable(command, "--devicetree-auto", devicetrees_auto,
                 "Device tree blob for matching machines only; may repeat", "FILE");
  command
      .add_option("--hwids", hwids,
                  "Hardware ids: a directory with JSON descriptions, or a finished table")
      ->type_name("DIR|FILE");
  add_repeatable(command, "--efifw", efifw,
                 "Firmware: a directory called as its id, with one file; may repeat", "DIR");
  add_repeatable(command, "--sbat", sbat, "SBAT lines to add", "TEXT|@FILE");
  file("--pcrpkey", pcrpkey, "Public key of the PCR signatures, PEM");
  text("--pcrsig", pcrsig, "PCR signatures, JSON: the .pcrsig section as it is");
  text("--profile", profile, "Text of the profile (to join later), or of the first one");
  add_repeatable(command, "--join-profile", profiles_to_join, "Profile file to join", "FILE");
  add_repeatable(command, "--section", sections, "Any other section", "NAME:TEXT|NAME:@FILE");
}

void ImageParts::add_stub_options(CLI::App& command) {
  command.add_option("--stub", stub, "Stub (default: ours)")->type_name("FILE");
  add_arch_option(command, arch, "Architecture of our stub");
}

}  // namespace keelson::tool
