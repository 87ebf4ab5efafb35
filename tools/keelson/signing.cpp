// SPDX-License-Identifier: MIT
//
// Runs sbsign on files in memory and checks what it made.
#include "tools/keelson/signing.h"

#include <CLI/CLI.hpp>

#include "efi/format/authenticode.h"
#include "tools/keelson/child.h"
#include "tools/keelson/failure.h"

namespace keelson::tool {

void SigningKey::add_options(CLI::App& command) {
  command.add_option("--secureboot-private-key", private_key, "Key to sign with, PEM")
      ->type_name("FILE");
  command.add_option("--secureboot-certificate", certificate, "Its certificate, PEM")
      ->type_name("FILE");
}

void SigningKey::check() const {
  if (private_key.empty() || certificate.empty())
    throw Failure("signing needs both --secureboot-private-key= and --secureboot-certificate=");
  read_file(private_key);  // a clear error before sbsign's
  read_file(certificate);
}

Buffer sign_image(Bytes image, const SigningKey& key) {
  key.check();
  const FileInMemory output, log;
  int status = 0;
  {
    FileInMemory input;  // no longer than it is read: images may be large
    input.write(image);
    status = run_child({"sbsign", "--key", key.private_key, "--cert", key.certificate, "--output",
                        output.path(), input.path()},
                       log);
  }
  if (status == program_not_found)
    throw Failure("sbsign: not found; install the package sbsigntool");
  if (status != 0)
    throw Failure("sbsign cannot sign with " + key.private_key + " and " + key.certificate + ": " +
                  reason_in(log));
  Buffer result = read_file(output.path());
  const Bytes table = or_fail(authenticode::certificate_table(result), "signed image");
  if (table.empty()) throw Failure("sbsign left the image without a signature");
  return result;
}

}  // namespace keelson::tool
