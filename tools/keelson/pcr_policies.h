// SPDX-License-Identifier: MIT
//
// Owns which signed PCR 11 policies an image gets (tools.md 2.2, 2.3): the options of `build` about
// them, groups of keys and phases, the sets of sections that a boot can measure, and filling in
// signatures that were made elsewhere. The document is pcr_signatures.h's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "efi/format/uki.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/pcr_key.h"
#include "tools/keelson/pcr_signatures.h"
#include "tools/keelson/thin.h"

namespace keelson::tool {

// The n-th of each belong together.
struct PcrPolicyOptions {
  std::vector<std::string> private_keys, public_keys, certificates, phases, references;
  std::vector<std::string> banks;     // each a list
  std::vector<std::string> profiles;  // ids; empty: all
  std::string provider, engine, certificate_provider;
  bool sign_initrd = false;
  bool digests_only = false;

  void add_options(CLI::App& command);
  bool wanted() const { return !private_keys.empty() || digests_only; }
  // The banks, and all phases of all groups, behind those of `choice`.
  PcrChoice with(PcrChoice choice) const;
};

// What a boot of `profile` can measure: one set of sections for each `.dtbauto` and `.efifw` that
// the hardware may select (those of the profile, then those of the base), or the only one.
std::vector<uki::Effective> possible_sections(const uki::Uki& uki, uki::Range profile);
// PCR 11 of one of them, in all banks and phases of `choice`. `path` is for the Failure.
std::vector<PcrValue> pcr_11_of(const uki::Uki& uki, const uki::Effective& sections,
                                const PinnedFiles& pinned, const PcrChoice& choice,
                                const std::string& path);

// The keys of a build and what they sign.
class PcrPolicies {
 public:
  // Reads the keys. Failure: as PcrKey; groups that do not fit together; an unknown phase.
  explicit PcrPolicies(const PcrPolicyOptions& options, const PcrChoice& choice);

  bool wanted() const { return !groups_.empty(); }
  // `.pcrpkey`, if there is just one key.
  std::optional<std::string> default_public_key() const;
  // Entries for the profile; nullopt if it is none of those to be signed.
  std::optional<PcrSignatures> entries_for(const uki::Uki& uki, uki::Range profile,
                                           const PinnedFiles& pinned, const std::string& path);
  // `.pcrsig` with these entries: with room for signatures, if they are made elsewhere.
  std::string section_of(const PcrSignatures& entries) const;
  // Failure: --sign-profile= names a profile that entries_for was not asked about.
  void check_profiles_found() const;

 private:
  struct Group {
    PublicKey public_key;
    std::optional<PcrKey> key;  // absent: signed elsewhere
    PcrChoice choice;
    std::string reference;
  };
  void add_groups_to_sign(const PcrPolicyOptions& options, const PcrChoice& choice);
  void add_groups_of_digests(const PcrPolicyOptions& options, const PcrChoice& choice);
  void add_initrd_group();  // for --sign-initrd-pcrs, with the first key

  std::vector<Group> groups_;
  std::size_t keys_ = 0;
  std::vector<std::string> profiles_, profiles_found_;
};

// The image with the signatures of `signed_ones` in its `.pcrsig` sections; the file keeps its
// length. Those that are missing are warned about. Failure: the image is signed itself, none fits,
// one does not verify with `.pcrpkey`, no room.
Buffer join_signatures(Bytes image, const std::string& path, const PcrSignatures& signed_ones);

}  // namespace keelson::tool
