// SPDX-License-Identifier: MIT
//
// Owns reading JSON that others made (I-JSON, RFC 7493): what two readers could take for different
// things is refused. Meaning of the fields: the caller's.
#pragma once

#include <string>

#include "tools/keelson/host_file.h"
#include "tools/keelson/output.h"

namespace keelson::tool {

// The document. Failure, naming `subject` and the place: larger than 16 MiB, nested deeper than 32,
// not JSON or not UTF-8, an object with two fields of one name, a NUL in a text, a number that no
// double holds.
Json parse_json(Bytes text, const std::string& subject);

}  // namespace keelson::tool
