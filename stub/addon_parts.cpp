// SPDX-License-Identifier: MIT
//
// Decides about add-ons; see addon_parts.h.
#include "stub/addon_parts.h"

#include "stub/plan_image.h"

namespace keelson::stub {
namespace {

// Builders pad with NULs; nothing else is a difference that does not count. A prefix is another
// version: `6` is not `6.1`.
std::string_view without_trailing_nuls(Bytes uname) {
  std::string_view text = text_of(uname);
  while (text.ends_with('\0')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<AddonParts> choose_addon_parts(const uki::Contents& contents, Bytes image_uname) {
  AddonParts parts;
  parts.command_line = TRY(content(contents, UkiSection::cmdline));
  parts.device_tree = TRY(device_tree_of(contents));
  parts.initrd = TRY(content(contents, UkiSection::initrd));
  parts.ucode = TRY(content(contents, UkiSection::ucode));
  if (parts.command_line.empty() && parts.device_tree.empty() && parts.initrd.empty() &&
      parts.ucode.empty())
    return fail(Errc::not_found, "nothing in it is of use here");
  if (!TRY(content(contents, UkiSection::kernel)).empty())
    return fail(Errc::malformed, "it has a kernel, so it is no add-on");
  if (parts.command_line.size() > uki::max_text_size)
    return fail(Errc::malformed, "its command line is too long", parts.command_line.size());
  const Bytes uname = TRY(content(contents, UkiSection::uname));
  if (!uname.empty() && !image_uname.empty() &&
      without_trailing_nuls(uname) != without_trailing_nuls(image_uname))
    return fail(Errc::denied, "it is made for another kernel version");
  return parts;
}

}  // namespace keelson::stub
