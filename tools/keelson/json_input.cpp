// SPDX-License-Identifier: MIT
//
// Strict reading of JSON, over the parser of nlohmann-json.
#include "tools/keelson/json_input.h"

#include <set>

#include "tools/keelson/failure.h"

namespace keelson::tool {
namespace {

constexpr std::size_t largest_document = 16_MiB;
constexpr std::size_t deepest_nesting = 32;

// Follows the parser from token to token.
class Strictness {
 public:
  explicit Strictness(const std::string& subject) : subject_(subject) {}

  void see(Json::parse_event_t event, const Json& token) {
    using Token = Json::parse_event_t;
    switch (event) {
      case Token::object_start:
      case Token::array_start:
        if (names_.size() == deepest_nesting)
          throw Failure(subject_ + ": JSON is nested too deeply");
        names_.emplace_back();
        break;
      case Token::object_end:
      case Token::array_end:
        names_.pop_back();
        break;
      case Token::key:
        refuse_nul(token);
        if (!names_.back().insert(token.get_ref<const std::string&>()).second)
          throw Failure(subject_ + ": JSON object has two fields \"" +
                        token.get_ref<const std::string&>() + "\"");
        break;
      case Token::value:
        if (token.is_string()) refuse_nul(token);
        break;
    }
  }

 private:
  void refuse_nul(const Json& text) const {
    if (text.get_ref<const std::string&>().find('\0') != std::string::npos)
      throw Failure(subject_ + ": JSON text contains a NUL");
  }

  const std::string& subject_;
  std::vector<std::set<std::string>> names_;  // of the objects that are open
};

// "parse error at line 1, column 5: syntax error while ..." without the library's own number.
std::string reason_of(const Json::exception& error) {
  const std::string_view text = error.what();
  const std::size_t bracket = text.find("] ");
  return std::string(bracket == std::string_view::npos ? text : text.substr(bracket + 2));
}

}  // namespace

Json parse_json(Bytes text, const std::string& subject) {
  if (text.size() > largest_document) throw Failure(subject + ": JSON larger than 16 MiB");
  const std::string_view characters = text_of(text);
  Strictness strictness(subject);
  try {
    return Json::parse(characters.begin(), characters.end(),
                       [&](int, Json::parse_event_t event, Json& value) {
                         strictness.see(event, value);
                         return true;
                       });
  } catch (const Json::exception& error) {
    throw Failure(subject + ": not JSON: " + reason_of(error));
  }
}

}  // namespace keelson::tool
