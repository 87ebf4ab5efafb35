// SPDX-License-Identifier: MIT
//
// keelson list: the entries of an ESP in the order of the menu, in the fields of `bootctl list`.
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/keelson/esp_tree.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/programs.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct ListOptions {
  std::string esp, boot;
  JsonForm json = JsonForm::off;
};

std::string slashes(std::u16string_view esp_path) {
  std::string text = utf8(esp_path);
  std::ranges::replace(text, '\\', '/');
  return text;
}

Json describe(const Entry& entry, const EspTree& tree, bool is_default) {
  Json item = Json::object();
  const auto add = [&](const char* key, std::u16string_view text) {
    if (!text.empty()) item[key] = utf8(text);
  };
  item["type"] = entry.kind == EntryKind::type2 ? "type2" : "type1";
  item["source"] = entry.source == EntrySource::esp ? "esp" : "xbootldr";
  add("id", entry.id);
  item["path"] = tree.resolve(entry.source, entry.file.text()).string();
  item["root"] = tree.root(entry.source).string();
  add("title", entry.title);
  add("showTitle", entry.shown_title);
  add("sortKey", entry.sort_key);
  add("version", entry.version);
  add("machineId", entry.machine_id);
  add("architecture", entry.architecture);
  if (!entry.options_implied) add("options", entry.options);
  switch (entry.kind) {
    case EntryKind::efi:
      item["efi"] = slashes(entry.executable.text());
      break;
    case EntryKind::uki:
      item["uki"] = slashes(entry.executable.text());
      break;
    default:
      item["linux"] = slashes(entry.executable.text());
      break;
  }
  if (entry.profile != 0) item["profile"] = entry.profile;
  for (const EspPath& initrd : entry.initrds) item["initrd"].push_back(slashes(initrd.text()));
  item["isReported"] = false;
  if (entry.count) {
    item["triesLeft"] = entry.count->tries_left;
    item["triesDone"] = entry.count->tries_done;
  }
  item["isDefault"] = is_default;
  if (entry.options_implied) add("cmdline", entry.options);
  return item;
}

void print_entry(const Entry& entry, const EspTree& tree, bool is_default) {
  const auto field = [](const char* label, const std::string& value) {
    if (value.empty()) return;
    const std::string name(label);
    print_text(std::string(name.size() < 13 ? 13 - name.size() : 0, ' ') + name + ": " + value +
               "\n");
  };
  field("type", entry.kind == EntryKind::type2 ? "Boot Loader Specification Type #2 (.efi)"
                                               : "Boot Loader Specification Type #1 (.conf)");
  field("title", printable(entry.shown_title) + (is_default ? " (default)" : "") +
                     (entry.bad() ? " (bad)" : ""));
  field("id", printable(entry.id));
  field("source", tree.resolve(entry.source, entry.file.text()).string());
  if (entry.count)
    field("tries", std::to_string(entry.count->tries_left) + " left, " +
                       std::to_string(entry.count->tries_done) + " done");
  field("sort-key", printable(entry.sort_key));
  field("version", printable(entry.version));
  field("machine-id", printable(entry.machine_id));
  field("architecture", printable(entry.architecture));
  field(entry.kind == EntryKind::efi   ? "efi"
        : entry.kind == EntryKind::uki ? "uki"
                                       : "linux",
        slashes(entry.executable.text()));
  for (const EspPath& initrd : entry.initrds) field("initrd", slashes(initrd.text()));
  field("options", printable(entry.options));
}

void list(const ListOptions& options) {
  if (options.esp.empty()) throw Failure("no ESP is given; use --esp-path=DIRECTORY");
  EspTree tree(options.esp, options.boot, native_arch());
  const auto chosen = tree.default_entry().index;
  const auto entries = std::as_const(tree.entries()).entries();
  if (options.json != JsonForm::off) {
    Json document = Json::array();
    for (std::size_t i = 0; i < entries.size(); ++i)
      document.push_back(describe(entries[i], tree, chosen == i));
    print_json(document, options.json);
    return;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i != 0) print_text("\n");
    print_entry(entries[i], tree, chosen == i);
  }
  if (entries.empty()) note("No boot entries on " + options.esp + ".");
}

}  // namespace

void add_list(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand("list", "List the boot entries in menu order");
  command->add_option("--esp-path", options->esp, "Root of the EFI system partition")
      ->type_name("DIR");
  command->add_option("--boot-path", options->boot, "Root of the XBOOTLDR partition")
      ->type_name("DIR");
  add_json_option(*command, options->json);
  command->callback([options] { list(*options); });
}

}  // namespace keelson::tool
