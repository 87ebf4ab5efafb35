// SPDX-License-Identifier: MIT
//
// Owns messages: all go to the log (the variable KeelsonLog keeps the newest 16 KiB, the loader's
// `p` page shows them); only what is said through tell() also appears on the screen (design
// decision 15), unless the machine's owner wants to see more, or less.
#pragma once

#include "efi/base/diagnostics.h"
#include "efi/base/pages.h"
#include "efi/firmware/console.h"
#include "efi/firmware/variables.h"
#include "efi/format/log_level.h"

namespace keelson::efi {

class Log final : public Diagnostics {
 public:
  static constexpr std::uint64_t capacity = loader_interface::max_log_size;
  // Without memory the log keeps nothing, and tell() still prints. `name` begins every line of this
  // program ("keelson-boot"), because the stub goes on in the loader's variable.
  Log(Console& console, std::string_view name);

  // Logs, and shows on the screen: for what concerns the chosen entry or replaces it.
  template <class... Parts>
  void tell(Severity severity, const Parts&... parts) {
    Line line;
    (print(line, parts), ...);
    keep(severity, line.text());
    if (is_shown(screen_level_, severity)) show(severity, line.text());
  }
  // From now on the screen shows of tell() what this level includes; at `debug`, everything.
  void set_screen_level(LogLevel level) { screen_level_ = level; }

  // UTF-8 lines, each ended by a newline, oldest first.
  std::string_view text() const;
  // Puts the lines into KeelsonLog, behind what an earlier program left there. Once per program
  // run, or again with more lines: only lines that were not published before are added.
  Result<> publish(const Variables& variables);
  // After a program that we started has come back: takes over the lines that it has put into
  // KeelsonLog, so that text() has them too, and returns them. None while lines of ours are
  // unpublished, which would have to stand before them.
  Result<std::string_view> adopt(const Variables& variables);

 private:
  void write(Severity severity, std::string_view message) override;
  void keep(Severity severity, std::string_view message);
  void show(Severity severity, std::string_view message);
  void append(std::string_view piece);
  void append_message(std::string_view message);
  void make_room(std::uint64_t size);

  Console& console_;
  std::string_view name_;
  LogLevel screen_level_ = LogLevel::info;
  Pages buffer_;
  std::uint64_t used_ = 0;
  std::uint64_t published_ = 0;      // bytes of the buffer that the variable has already
  std::uint64_t variable_size_ = 0;  // as we left it
};

}  // namespace keelson::efi
