// SPDX-License-Identifier: MIT
//
// keelson inspect: what a UKI or add-on consists of, as ukify prints it: every known section with
// size and SHA-256 of what is measured, texts shown, profiles apart.
#include <CLI/CLI.hpp>
#include <memory>

#include "efi/base/digest.h"
#include "efi/format/thin_uki.h"
#include "efi/format/uki.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct InspectOptions {
  std::vector<std::string> files;
  bool all = false;
  JsonForm json = JsonForm::off;
};

bool is_shown(std::string_view name, bool all) {
  return all || find_uki_section(name) || name == ".sbom";
}
bool is_text(std::string_view name) {
  const auto section = find_uki_section(name);
  return section && row(*section).text;
}
bool may_repeat(std::string_view name) {
  const auto section = find_uki_section(name);
  return section && row(*section).many;
}

// Section texts may end in NULs; ukify does not show them either.
std::string without_padding(std::string_view text) {
  return std::string(text.substr(0, text.find_last_not_of('\0') + 1));
}

Json describe(const pe::Image& image, const pe::Section& section, const std::string& path) {
  const Buffer content = section_content(image, section, path);
  Json item = {{"size", content.size()}, {"sha256", hex(sha256(content))}};
  if (is_text(section.name())) item["text"] = without_padding(text_of(content));
  return item;
}

// What the sections of a thin UKI say about the files that it pins, under the names of the sections
// that these stand for.
void describe_pins(const uki::Uki& uki, const uki::Effective& sections, const std::string& path,
                   Json& result) {
  TextArena arena;
  const auto pins = thin_uki::find_pins(uki, sections, arena);
  if (!pins.has_value()) {
    warn(path + ": the stub will not start it: " + tool::describe(pins.error()));
    return;
  }
  if (!*pins) return;
  for (const thin_uki::Pin& pin : {(*pins)->kernel, (*pins)->initrd}) {
    const auto section = result.find(std::string(row(pin.section).name));
    if (section == result.end()) continue;  // a profile without its own
    (*section)["file"] = utf8(pin.path.text());
    (*section)["fileSha256"] = hex(pin.hash);
  }
}

Json describe_range(const uki::Uki& uki, uki::Range range, const InspectOptions& options,
                    const std::string& path) {
  Json result = Json::object();
  for (const pe::Section& section : uki.image().sections(range.first, range.last)) {
    const std::string name(section.name());
    if (!is_shown(name, options.all)) continue;
    const Json item = describe(uki.image(), section, path);
    if (may_repeat(name)) {
      result[name].push_back(item);
    } else if (!result.contains(name)) {  // the first of a name is the one that counts
      result[name] = item;
    }
  }
  return result;
}

void print_section(const std::string& name, const Json& item, const std::string& indent) {
  std::string text = indent + name + ":\n" + indent +
                     "  size: " + std::to_string(item["size"].get<std::uint64_t>()) + " bytes\n" +
                     indent + "  sha256: " + item["sha256"].get<std::string>() + "\n";
  if (item.contains("file")) {
    text += indent + "  file: " + printable(item["file"].get_ref<const std::string&>()) + "\n";
    text += indent + "  file sha256: " + item["fileSha256"].get<std::string>() + "\n";
  }
  if (item.contains("text")) {
    text += indent + "  text:\n";
    std::string_view rest = item["text"].get_ref<const std::string&>();
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      text += indent + "    " + printable(rest.substr(0, end)) + "\n";
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  print_text(text);
}

void print_range(const Json& sections, const std::string& indent) {
  for (const auto& [name, value] : sections.items()) {
    if (value.is_array())
      for (const Json& item : value) print_section(name, item, indent);
    else
      print_section(name, value, indent);
  }
}

Json inspect_file(const std::string& path, const InspectOptions& options) {
  const Buffer bytes = read_file(path);
  const auto uki = or_fail(uki::Uki::parse(whole_image(bytes, path)), path);
  Json result = describe_range(uki, uki.base(), options, path);
  if (!uki.has_profiles()) describe_pins(uki, uki.effective_base(), path, result);
  std::optional<uki::Range> range = uki.next_profile(uki.base());
  for (; range; range = uki.next_profile(*range)) {
    Json profile = describe_range(uki, *range, options, path);
    describe_pins(uki, uki.effective(*range), path, profile);
    if (range->first == uki.base().last) describe_pins(uki, uki.effective(*range), path, result);
    result["_profiles"].push_back(std::move(profile));
  }
  return result;
}

void print_inspection(const std::string& path, const Json& sections, bool heading) {
  if (heading) print_text(printable(path) + ":\n");
  if (sections.empty()) note(path + ": no section of a UKI or add-on; --all shows the others");
  Json base = sections;
  base.erase("_profiles");
  print_range(base, "");
  if (!sections.contains("_profiles")) return;
  std::size_t number = 0;
  for (const Json& profile : sections["_profiles"]) {
    print_text("profile " + std::to_string(number++) + ":\n");
    print_range(profile, "  ");
  }
}

void inspect(const InspectOptions& options) {
  if (options.json != JsonForm::off) {
    Json documents = Json::array();
    for (const std::string& path : options.files) documents.push_back(inspect_file(path, options));
    print_json(documents.size() == 1 ? documents[0] : documents, options.json);
    return;
  }
  for (const std::string& path : options.files)
    print_inspection(path, inspect_file(path, options), options.files.size() > 1);
}

}  // namespace

void add_inspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show the sections of UKIs and add-ons");
  command->add_option("FILE", options->files, "Image to look into")->option_text(" ")->required();
  command->add_flag("--all", options->all, "Also sections that mean nothing to a stub");
  add_json_option(*command, options->json);
  command->callback([options] { inspect(*options); });
}

}  // namespace keelson::tool
