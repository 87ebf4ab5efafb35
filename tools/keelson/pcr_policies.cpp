// SPDX-License-Identifier: MIT
//
// Signed PCR 11 policies of images: see pcr_policies.h.
#include "tools/keelson/pcr_policies.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <list>

#include "efi/format/os_release.h"
#include "linker/pe_writer.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/sections.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

constexpr std::size_t room_for_signature = 1024;  // blanks behind the document, for each entry
// The phase and the reference of --sign-initrd-pcrs.
constexpr const char* initrd_phase = "enter-initrd";
constexpr const char* initrd_reference = "initrd";

// "a, b c" as three words.
std::vector<std::string> words_of_list(const std::string& list) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : list + ",") {
    if (c != ',' && c != ' ' && !(c >= '\t' && c <= '\r')) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

// A misspelt word would make a signature that no boot ever matches.
std::vector<std::string> phases_of_group(const std::string& list) {
  std::vector<std::string> paths = words_of_list(list);
  for (const std::string& path : paths)
    for (const std::string& word : CLI::detail::split(path, ':'))
      if (!word.empty() && std::ranges::find(boot_phases, word) == boot_phases.end())
        throw Failure("--phases=" + list + ": unknown boot phase " + word);
  return paths;
}

std::string nth(const std::vector<std::string>& values, std::size_t n) {
  return n < values.size() ? values[n] : std::string();
}

void check_counts(const PcrPolicyOptions& options) {
  const std::pair<const char*, const std::vector<std::string>*> lists[] = {
      {"--pcr-public-key", &options.public_keys},
      {"--pcr-certificate", &options.certificates},
      {"--phases", &options.phases},
      {"--policyref", &options.references}};
  const std::size_t count = options.private_keys.size();
  for (const auto& [name, values] : lists)
    if (!values->empty() && values->size() != count)
      throw Failure(std::string(name) + "= is given " + std::to_string(values->size()) +
                    " times and --pcr-private-key= " + std::to_string(count) +
                    " times; the n-th of each belong together");
}

KeySource source_of(const std::string& provider, const std::string& engine) {
  if (!provider.empty() && !engine.empty())
    throw Failure("--signing-provider= and --signing-engine= exclude each other");
  if (!provider.empty()) return {KeySource::Kind::provider, provider};
  if (!engine.empty()) return {KeySource::Kind::engine, engine};
  return {};
}

PcrKeyNames names_of_key(const PcrPolicyOptions& options, std::size_t n) {
  return {.private_key = nth(options.private_keys, n),
          .private_source = source_of(options.provider, options.engine),
          .public_key = nth(options.public_keys, n),
          .certificate = nth(options.certificates, n),
          .certificate_source = source_of(options.certificate_provider, "")};
}

std::vector<uki::Effective> for_each_candidate(const uki::Uki& uki, uki::Range profile,
                                               UkiSection id,
                                               const std::vector<uki::Effective>& sets) {
  std::vector<uki::Effective> result;
  const uki::Range base = uki.base();
  for (const uki::Effective& set : sets)
    for (const uki::Range range : {profile, base})
      for (const pe::Section& section : uki.image().sections(range.first, range.last)) {
        if (section.name() != row(id).name || !section.is_set()) continue;
        result.push_back(set);
        result.back().select(id, section.index);
      }
  return result.empty() ? sets : result;
}

// As text; empty if the section is not there.
std::string text_of_section(const uki::Uki& uki, const uki::Effective& sections, UkiSection id,
                            const std::string& path) {
  const auto section = uki.find(sections, id);
  if (!section) return {};
  return std::string(text_of(section_content(uki.image(), *section, path)));
}

}  // namespace

void PcrPolicyOptions::add_options(CLI::App& command) {
  const auto nth_option = [&](const char* name, std::vector<std::string>& values, const char* help,
                              const char* type = "FILE") {
    add_repeatable(command, name, values, help, type)->group("Signed PCR policies");
  };
  const auto one = [&](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->type_name("NAME")->group("Signed PCR policies");
  };
  const auto flag = [&](const char* name, bool& value, const char* help) {
    command.add_flag(name, value, help)->group("Signed PCR policies");
  };
  nth_option("--pcr-private-key", private_keys,
             "RSA key for PCR 11 policies; the n-th of the next four goes with it");
  nth_option("--pcr-public-key", public_keys, "Its public key, PEM (default: from the key)");
  nth_option("--pcr-certificate", certificates, "Its certificate, PEM, instead of a public key");
  nth_option("--phases", phases, "Boot phases it signs for (default: the four of a normal boot)",
             "PATHS");
  nth_option("--policyref", references,
             "Name without which its signatures are not accepted, such as initrd", "TEXT");
  flag("--sign-initrd-pcrs", sign_initrd,
       "Also sign enter-initrd, with the reference initrd, by the first key");
  nth_option("--sign-profile", profiles, "Sign for the profile with this ID only; may repeat",
             "ID");
  nth_option("--pcr-banks", banks, "PCR banks, separated by commas (default: all)", "BANKS");
  one("--signing-provider", provider, "OpenSSL provider that has the PCR keys");
  one("--signing-engine", engine, "OpenSSL engine that has the PCR keys");
  one("--certificate-provider", certificate_provider, "OpenSSL provider that has the certificates");
  flag("--policy-digest", digests_only,
       "Print what is to be signed elsewhere; leave room for the signatures");
  command
      .add_flag_callback(
          "--no-policy-digest", [this] { digests_only = false; }, "Do not (default)")
      ->group("Signed PCR policies");
}

PcrChoice PcrPolicyOptions::with(PcrChoice choice) const {
  for (const std::string& list : banks)
    for (std::string& bank : words_of_list(list)) choice.banks.push_back(std::move(bank));
  for (const std::string& list : phases)
    for (std::string& path : phases_of_group(list)) choice.phases.push_back(std::move(path));
  return choice;
}

std::vector<uki::Effective> possible_sections(const uki::Uki& uki, uki::Range profile) {
  std::vector<uki::Effective> sets = {uki.effective(profile)};
  for (const UkiSectionRow& section : uki_sections)
    if (section.many) sets = for_each_candidate(uki, profile, section.id, sets);
  return sets;
}

std::vector<PcrValue> pcr_11_of(const uki::Uki& uki, const uki::Effective& sections,
                                const PinnedFiles& pinned, const PcrChoice& choice,
                                const std::string& path) {
  const uki::Contents contents = pinned.contents(uki, sections);
  MeasurementList list;
  or_fail(list.add_uki(contents), path);
  return replay_phases_of(list, choice);
}

PcrPolicies::PcrPolicies(const PcrPolicyOptions& options, const PcrChoice& choice)
    : profiles_(options.profiles) {
  if (options.digests_only && !options.private_keys.empty())
    throw Failure("--policy-digest is for signing elsewhere: it goes without --pcr-private-key=");
  if (options.digests_only)
    add_groups_of_digests(options, choice);
  else
    add_groups_to_sign(options, choice);
  if (!options.sign_initrd) return;
  if (groups_.empty())
    throw Failure("--sign-initrd-pcrs needs --pcr-private-key= or --policy-digest");
  add_initrd_group();
}

void PcrPolicies::add_groups_to_sign(const PcrPolicyOptions& options, const PcrChoice& choice) {
  if (options.private_keys.empty() && options.public_keys.empty() && options.certificates.empty())
    return;
  check_counts(options);
  keys_ = options.private_keys.size();
  const PcrChoice banks{.banks = options.with(choice).banks, .phases = {}};
  for (std::size_t n = 0; n < keys_; ++n) {
    PcrKey key(names_of_key(options, n));
    PcrChoice own = banks;
    own.phases = phases_of_group(nth(options.phases, n));
    groups_.push_back({key.public_key(), key, own, nth(options.references, n)});
  }
}

void PcrPolicies::add_groups_of_digests(const PcrPolicyOptions& options, const PcrChoice& choice) {
  if (options.public_keys.size() + options.certificates.size() != 1)
    throw Failure("--policy-digest needs just one --pcr-public-key= or --pcr-certificate=");
  keys_ = 1;
  Group group{read_public_key(names_of_key(options, 0)),
              std::nullopt,
              {.banks = options.with(choice).banks, .phases = {}},
              nth(options.references, 0)};
  for (const std::string& list : options.phases)
    for (std::string& path : phases_of_group(list)) group.choice.phases.push_back(std::move(path));
  groups_.push_back(std::move(group));
}

void PcrPolicies::add_initrd_group() {
  Group group = groups_.front();
  group.choice.phases = {initrd_phase};
  group.reference = initrd_reference;
  groups_.push_back(std::move(group));
}

std::optional<std::string> PcrPolicies::default_public_key() const {
  if (keys_ != 1) return std::nullopt;
  return groups_.front().public_key.pem();
}

std::optional<PcrSignatures> PcrPolicies::entries_for(const uki::Uki& uki, uki::Range profile,
                                                      const PinnedFiles& pinned,
                                                      const std::string& path) {
  if (!profiles_.empty()) {
    const std::string text =
        text_of_section(uki, uki.effective(profile), UkiSection::profile, path);
    const std::string id(parse_profile(bytes_of(std::string_view(text))).id);
    if (std::ranges::find(profiles_, id) == profiles_.end()) return std::nullopt;
    profiles_found_.push_back(id);
  }
  PcrSignatures entries;
  for (const uki::Effective& sections : possible_sections(uki, profile))
    for (const Group& group : groups_)
      for (const PcrValue& pcr : pcr_11_of(uki, sections, pinned, group.choice, path)) {
        const PcrPolicy policy{.pcr = pcr.value, .reference = group.reference};
        entries.add(
            policy, &group.public_key,
            group.key ? std::optional(group.key->sign(signed_bytes(policy))) : std::nullopt);
      }
  return entries;
}

std::string PcrPolicies::section_of(const PcrSignatures& entries) const {
  const bool unsigned_yet = !groups_.empty() && !groups_.front().key;
  return entries.text() + std::string(unsigned_yet ? entries.size() * room_for_signature : 0, ' ');
}

void PcrPolicies::check_profiles_found() const {
  for (const std::string& id : profiles_)
    if (std::ranges::find(profiles_found_, id) == profiles_found_.end())
      throw Failure("--sign-profile=" + id + ": no profile of the image has this ID");
}

Buffer join_signatures(Bytes bytes, const std::string& path, const PcrSignatures& signed_ones) {
  const auto uki = or_fail(uki::Uki::parse(whole_image(bytes, path)), path);
  auto writer = linker::PeWriter::open(bytes);
  if (!writer.has_value()) throw Failure(path + ": " + writer.error().text());
  const uki::Effective base = uki.effective_base();
  const std::string pem = text_of_section(uki, base, UkiSection::pcrpkey, path);
  const auto key = pem.empty() ? std::nullopt
                               : std::optional(PublicKey::from_pem(bytes_of(std::string_view(pem)),
                                                                   path + ": .pcrpkey"));
  std::list<std::string> texts;  // borrowed by the writer
  PcrSignatures::Filled all;
  for (std::size_t i = 0; i < writer->sections().size(); ++i) {
    const auto& section = writer->sections()[i];
    if (section.name() != row(UkiSection::pcrsig).name) continue;
    const std::size_t size = text_of(section.content).find_last_not_of('\0') + 1;
    PcrSignatures document = PcrSignatures::parse(section.content.first(size), path + ": .pcrsig");
    const auto filled = document.fill_from(signed_ones, key ? &*key : nullptr, path);
    all.filled += filled.filled;
    all.missing += filled.missing;
    const auto put =
        writer->fill(i, bytes_of(std::string_view(texts.emplace_back(document.text()))));
    if (!put.has_value()) throw Failure(path + ": " + put.error().text());
  }
  if (texts.empty())
    throw Failure(path + ": has no .pcrsig section; build it with --policy-digest");
  if (all.filled == 0) throw Failure(path + ": none of its PCR policies is among the signed ones");
  if (all.missing > 0)
    warn(path + ": " + std::to_string(all.missing) + " of its PCR policies are still not signed");
  auto image = writer->write();
  if (!image.has_value()) throw Failure(path + ": " + image.error().text());
  return std::move(*image);
}

}  // namespace keelson::tool
