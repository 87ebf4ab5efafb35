// SPDX-License-Identifier: MIT
//
// What our stub and loader take.
#include "tools/keelson/stub_checks.h"

#include "efi/format/bitmap.h"
#include "efi/format/device_tree.h"
#include "efi/format/uki.h"
#include "stub/kernel_start.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/hardware_inputs.h"
#include "tools/keelson/output.h"
#include "tools/keelson/sections.h"

namespace keelson::tool {
namespace {

constexpr const char* remedy_for_kernel = "give a Linux kernel that was built with its EFI stub";

std::string arch(pe::Machine machine) {
  const std::string_view name = pe::efi_arch(machine);
  return name.empty() ? "an unknown machine" : std::string(name);
}

}  // namespace

StubChecks::StubChecks(Bytes stub, const std::string& path)
    : path_(path), machine_(whole_image(stub, path).headers().machine) {
  const auto product = product_of(stub);
  ours_ = product && product->product.starts_with("keelson-");
}

void StubChecks::object(const std::string& from, const std::string& reason,
                        const std::string& remedy) const {
  const std::string text = from + ": " + reason + "; " + remedy;
  if (ours_) throw Failure(text);
  warn(text);
}

void StubChecks::kernel(Bytes content, const std::string& from) const {
  const auto image = pe::Image::parse(content, pe::Layout::file, pe::Accept::any_machine);
  if (!image.has_value())
    throw Failure(from + ": not a kernel with an EFI stub: " + describe(image.error()));
  whole_image(content, from);
  if (image->find(row(UkiSection::kernel).name))
    return object(from, "our stub starts no unified kernel image, which this is",
                  "give the kernel that is in it");
  const auto start = stub::plan_kernel_start(content, {.machine = machine_});
  if (start.has_value()) return;
  if (image->headers().machine != machine_)
    throw Failure(from + ": is for " + arch(image->headers().machine) + ", the stub " + path_ +
                  " for " + arch(machine_));
  object(from, "our stub would not start it: " + describe(start.error()), remedy_for_kernel);
}

void StubChecks::splash(Bytes content, const std::string& from) const {
  if (content.empty()) return;
  if (const auto picture = Bitmap::parse(content); !picture.has_value())
    object(from, "our stub would not show it: " + describe(picture.error()),
           "give an uncompressed BMP of at most 2 million pixels");
}

void StubChecks::device_tree(Bytes content, const std::string& from) const {
  if (content.empty()) return;
  if (const auto tree = device_tree::DeviceTree::parse(content); !tree.has_value())
    object(from, "our stub would not install it: " + describe(tree.error()),
           "give a compiled device tree (.dtb)");
}

void StubChecks::candidate_device_tree(Bytes content, const std::string& from) const {
  const auto tree = device_tree::DeviceTree::parse(content);
  if (!tree.has_value()) return device_tree(content, from);
  if (const auto board = tree->compatible(); !board.has_value())
    object(from, "our stub would never select it: " + describe(board.error()),
           "its root node needs the property \"compatible\"");
}

void StubChecks::hardware_ids(Bytes content, const std::string& from) const {
  if (content.empty()) return;
  if (const auto table = check_hwids(content); !table.has_value())
    object(from, "our stub would not use it: " + describe(table.error()),
           "give a directory of descriptions, or the .hwids section made of one");
}

void StubChecks::command_line(Bytes content, const std::string& from) const {
  limit(content, from, "our stub takes no command line");
}

void StubChecks::listed_text(Bytes content, const std::string& from) const {
  limit(content, from, "our loader lists no image with a text");
}

void StubChecks::limit(Bytes text, const std::string& from, const std::string& refusal) const {
  if (text.size() > uki::max_text_size)
    object(from,
           "has " + std::to_string(text.size()) + " bytes, and " + refusal + " of more than " +
               std::to_string(uki::max_text_size),
           "shorten it");
}

}  // namespace keelson::tool
