// SPDX-License-Identifier: MIT
//
// Packs hardware descriptions as stubs read them; the layout is ukify's, byte for byte, but for the
// header of `.efifw`, of which ukify before 262 wrote 13 bytes that no stub understands.
#include "tools/keelson/hardware_inputs.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "efi/format/firmware_image.h"
#include "efi/format/hardware_ids.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/json_input.h"

namespace keelson::tool {
namespace {

using hardware_ids::DeviceKind;
using hardware_ids::Record;

template <class T>
void append(Buffer& to, const T& value) {
  const Bytes bytes = bytes_of_struct(value);
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void append_with_nul(Buffer& to, std::string_view text) {
  const Bytes bytes = bytes_of(text);
  to.insert(to.end(), bytes.begin(), bytes.end());
  to.push_back(std::byte{0});
}

// One kind of device that a description can be about.
struct Kind {
  DeviceKind device;
  const char* type;  // what `type` says
  const char* key;   // where its id stands
};
constexpr Kind kinds[] = {{DeviceKind::device_tree, "devicetree", "compatible"},
                          {DeviceKind::uefi_firmware, "uefi-fw", "fwid"}};

struct Device {
  DeviceKind kind;
  std::string name, id;
  std::set<std::string> hwids;  // lower case, and so in the order of their numbers
};

std::string text_at(const Json& json, const char* key, const std::string& path) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string())
    throw Failure(path + ": has no text \"" + key + "\"");
  const auto& text = found->get_ref<const std::string&>();
  if (text.empty()) throw Failure(path + ": \"" + key + "\" is empty");
  return text;
}

const Kind& kind_of(const Json& json, const std::string& path) {
  const Kind* found = nullptr;
  for (const Kind& kind : kinds) {
    if (!json.contains(kind.key)) continue;
    if (found != nullptr) throw Failure(path + ": has both \"compatible\" and \"fwid\"");
    found = &kind;
  }
  if (found == nullptr)
    throw Failure(path + ": has neither \"compatible\" (device tree) nor \"fwid\" (firmware)");
  if (json.contains("type") && text_at(json, "type", path) != found->type)
    throw Failure(path + ": \"type\" has to be \"" + found->type + "\", because \"" + found->key +
                  "\" is given");
  return *found;
}

Device parse_description(const fs::path& file) {
  const std::string path = file.string();
  const Json json = parse_json(read_file(file), path);
  if (!json.is_object()) throw Failure(path + ": is no JSON object");
  const Kind& kind = kind_of(json, path);
  Device device{.kind = kind.device,
                .name = text_at(json, "name", path),
                .id = text_at(json, kind.key, path),
                .hwids = {}};
  const auto ids = json.find("hwids");
  if (ids == json.end() || !ids->is_array()) throw Failure(path + ": has no list \"hwids\"");
  for (const Json& id : *ids) {
    const auto guid =
        parse_guid(id.is_string() ? std::string_view(id.get_ref<const std::string&>()) : "");
    if (!guid.has_value()) throw Failure(path + ": \"hwids\" holds " + id.dump() + ", no UUID");
    const auto text = to_text(*guid);
    device.hwids.emplace(text.data(), text.size());
  }
  return device;
}

std::vector<fs::path> descriptions_in(const fs::path& directory) {
  if (!fs::is_directory(directory))
    throw Failure(directory.string() + ": not a directory; --hwids= names one with JSON files");
  std::vector<fs::path> files;
  std::error_code error;
  for (auto item = fs::recursive_directory_iterator(directory, error);
       !error && item != fs::recursive_directory_iterator(); item.increment(error))
    if (item->path().extension() == ".json" && item->is_regular_file())
      files.push_back(item->path());
  if (error) throw Failure(directory.string() + ": cannot list: " + error.message());
  if (files.empty()) throw Failure(directory.string() + ": holds no *.json file");
  std::ranges::sort(files);
  return files;
}

// Descriptions of the same device are one, where the first of them stands.
std::vector<Device> devices_in(const fs::path& directory) {
  std::vector<Device> devices;
  for (const fs::path& file : descriptions_in(directory)) {
    Device device = parse_description(file);
    const auto same = std::ranges::find_if(devices, [&](const Device& other) {
      return std::tie(other.kind, other.name, other.id) ==
             std::tie(device.kind, device.name, device.id);
    });
    if (same == devices.end())
      devices.push_back(std::move(device));
    else
      same->hwids.merge(device.hwids);
  }
  return devices;
}

}  // namespace

Buffer hwids_of(const fs::path& directory) {
  const std::vector<Device> devices = devices_in(directory);
  std::size_t records = 1;                       // the empty one that ends them
  std::map<std::string, std::uint32_t> offsets;  // of the texts, in their order
  for (const Device& device : devices) {
    records += device.hwids.size();
    offsets[device.name] = offsets[device.id] = 0;
  }
  Buffer texts;
  for (auto& [text, offset] : offsets) {
    offset = static_cast<std::uint32_t>(records * sizeof(Record) + texts.size());
    append_with_nul(texts, text);
  }

  Buffer section;
  for (const Device& device : devices)
    for (const std::string& id : device.hwids)
      append(section, Record{.descriptor = static_cast<std::uint32_t>(device.kind) << 28 |
                                           std::uint32_t{sizeof(Record)},
                             .chid = or_fail(parse_guid(id), directory.string()),
                             .name_offset = offsets[device.name],
                             .id_offset = offsets[device.id]});
  append(section, Record{});
  section.insert(section.end(), texts.begin(), texts.end());
  if (section.size() > hardware_ids::max_hwids_size)
    throw Failure(directory.string() + ": its table is larger than 1 MiB, which no stub reads");
  return section;
}

// Each device is looked for as on a machine that has just its id.
Result<> check_hwids(Bytes table) {
  constexpr std::size_t most_specific = 3;  // of the ids that need no screen
  for (std::uint64_t at = 0; at + sizeof(Record) <= table.size(); at += sizeof(Record)) {
    const auto record = TRY(load<Record>(table, at, "hardware id record"));
    if (record.descriptor == 0)
      return at == 0 ? fail(Errc::not_found, "no hardware id in it") : Result<>();
    hardware_ids::Ids ids{};
    ids[most_specific] = record.chid;
    TRY(hardware_ids::find_device(table, ids, static_cast<DeviceKind>(record.descriptor >> 28)));
  }
  return fail(Errc::truncated, "no empty record at the end of the hardware ids", table.size());
}

Buffer efifw_of(const fs::path& directory) {
  if (!fs::is_directory(directory))
    throw Failure(directory.string() +
                  ": not a directory; --efifw= names one that holds a firmware image and is "
                  "called as the firmware's id");
  std::vector<fs::path> files;
  for (const auto& item : fs::directory_iterator(directory)) files.push_back(item.path());
  if (files.size() != 1)
    throw Failure(directory.string() +
                  ": has to hold exactly one file, the firmware image; holds " +
                  std::to_string(files.size()));
  const Buffer payload = read_file(files.front());
  if (payload.empty()) throw Failure(files.front().string() + ": is empty");
  const std::string id = fs::canonical(directory).filename().string();
  Buffer section;
  append(section, FirmwareImageHeader{.id_size = static_cast<std::uint32_t>(id.size() + 1),
                                      .payload_size = static_cast<std::uint32_t>(payload.size())});
  append_with_nul(section, id);
  section.insert(section.end(), payload.begin(), payload.end());
  return section;
}

}  // namespace keelson::tool
