// SPDX-License-Identifier: MIT
//
// Owns the `.pcrsig` document (stub.md 2.6, tools.md 3): {BANK: [{"pcrs": [11], "pkfp": HEX, "ref":
// TEXT, "pol": HEX, "sig": BASE64}, ...]}, of which "ref" is there if the policy has a reference,
// and before signing "tbs" (HEX, what is to be signed) instead of "sig". Computing policies is
// efi/format/measurement.h's, signing pcr_key.h's.
#pragma once

#include <optional>
#include <string>

#include "efi/base/digest.h"
#include "tools/keelson/host_file.h"
#include "tools/keelson/output.h"

namespace keelson::tool {

class PublicKey;

struct PcrPolicy {
  Digest pcr;             // the value of PCR 11, in its bank
  std::string reference;  // a name the unlocking side asks for; empty: none
};
// What a signature of the policy is made over: the digest of TPM2_PolicyPCR, behind it the SHA-256
// of the reference if there is one (TPM2_PolicyAuthorize, TPM 2.0 part 3).
Buffer signed_bytes(const PcrPolicy& policy);

class PcrSignatures {
 public:
  PcrSignatures() = default;
  // A document that others made. Failure, naming `subject` and the entry: not of this form. Banks
  // that we do not know are kept with a warning.
  static PcrSignatures parse(Bytes text, const std::string& subject);

  // Adds an entry, unless there is one that says the same. A bank that gets one moves to the end,
  // as in systemd-measure. `signature` absent: an entry to be signed later; `key` absent: without
  // its fingerprint.
  void add(const PcrPolicy& policy, const PublicKey* key, const std::optional<Buffer>& signature);
  // Adds all entries of `other`.
  void merge(const PcrSignatures& other);

  // Gives every entry that was left unsigned the signature of the same bank and the same bytes to
  // be signed in `signed_ones`. With `key`, signatures by it are verified first; Failure then names
  // `subject`.
  struct Filled {
    std::size_t filled = 0, missing = 0;
  };
  Filled fill_from(const PcrSignatures& signed_ones, const PublicKey* key,
                   const std::string& subject);

  bool empty() const { return banks_.empty(); }
  std::size_t size() const;  // entries of all banks
  const Json& json() const { return banks_; }
  std::string text() const { return banks_.dump(); }

 private:
  void add_entry(const std::string& bank, const Json& entry);

  Json banks_ = Json::object();
};

}  // namespace keelson::tool
