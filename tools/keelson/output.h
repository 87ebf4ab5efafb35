// SPDX-License-Identifier: MIT
//
// Owns what the tool prints: data on stdout (text, or JSON in the chosen form), messages on
// stderr, one line each. Colour only on a terminal and not with NO_COLOR.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace keelson::tool {

using Json = nlohmann::ordered_json;

enum class JsonForm { off, brief, pretty };  // --json=off|short|pretty

// One JSON document and a newline on stdout.
void print_json(const Json& value, JsonForm form);
// Text on stdout as it is; nothing is added.
void print_text(std::string_view text);
// "keelson: warning: MESSAGE" on stderr.
void warn(std::string_view message);
// "MESSAGE" on stderr, unless --quiet.
void note(std::string_view message);
void set_quiet(bool quiet);
// "keelson: MESSAGE" on stderr.
void print_failure(std::string_view message);

}  // namespace keelson::tool
