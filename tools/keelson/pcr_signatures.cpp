// SPDX-License-Identifier: MIT
//
// The `.pcrsig` document: see pcr_signatures.h.
#include "tools/keelson/pcr_signatures.h"

#include <mbedtls/base64.h>

#include <algorithm>

#include "efi/base/hex.h"
#include "efi/format/measurement.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_text.h"
#include "tools/keelson/json_input.h"
#include "tools/keelson/pcr_key.h"

namespace keelson::tool {
namespace {

constexpr std::size_t largest_signature = 1024;  // RSA with 8192 bits
constexpr std::uint64_t pcr_count = 24;

std::optional<Buffer> bytes_of_hex(std::string_view text) {
  if (text.empty() || text.size() % 2 != 0) return std::nullopt;
  Buffer bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto byte = byte_from_hex(text[i], text[i + 1]);
    if (!byte) return std::nullopt;
    bytes.push_back(*byte);
  }
  return bytes;
}

std::string base64_of(Bytes bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  std::size_t size = 0;
  mbedtls_base64_encode(reinterpret_cast<unsigned char*>(text.data()), text.size(), &size,
                        reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  text.resize(size);
  return text;
}

std::optional<Buffer> bytes_of_base64(std::string_view text) {
  Buffer bytes(largest_signature);
  std::size_t size = 0;
  if (text.size() % 4 != 0 || text.find_first_of(" \r\n") != std::string_view::npos ||
      mbedtls_base64_decode(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), &size,
                            reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 0)
    return std::nullopt;
  bytes.resize(size);
  return size == 0 ? std::nullopt : std::optional(bytes);
}

bool is_hex_of(const Json& value, std::size_t size) {
  if (!value.is_string()) return false;
  const auto bytes = bytes_of_hex(value.get_ref<const std::string&>());
  return bytes && bytes->size() == size;
}
bool is_pcr_list(const Json& value) {
  return value.is_array() && !value.empty() && std::ranges::all_of(value, [](const Json& pcr) {
           return pcr.is_number_unsigned() && pcr.get<std::uint64_t>() < pcr_count;
         });
}

// What a field of an entry must be, if it is there.
struct FieldRule {
  const char* name;
  bool required;
  bool (*holds)(const Json&);
  const char* form;
};
constexpr FieldRule field_rules[] = {
    {"pcrs", true, is_pcr_list, "an array of PCR numbers"},
    {"pkfp", false, [](const Json& v) { return is_hex_of(v, 32); }, "64 hexadecimal digits"},
    {"ref", false, [](const Json& v) { return v.is_string(); }, "a text"},
    {"pol", true, [](const Json& v) { return is_hex_of(v, 32); }, "64 hexadecimal digits"},
    {"tbs", false, [](const Json& v) { return is_hex_of(v, 32) || is_hex_of(v, 64); },
     "64 or 128 hexadecimal digits"},
    {"sig", false,
     [](const Json& v) {
       return v.is_string() && bytes_of_base64(v.get_ref<const std::string&>());
     },
     "a signature in base64"},
};

void check_entry(const Json& entry, const std::string& place) {
  if (!entry.is_object()) throw Failure(place + ": not an object");
  for (const FieldRule& rule : field_rules) {
    const auto found = entry.find(rule.name);
    if (found == entry.end() && rule.required)
      throw Failure(place + ": has no \"" + rule.name + "\"");
    if (found != entry.end() && !rule.holds(*found))
      throw Failure(place + ": \"" + rule.name + "\" is not " + rule.form);
  }
}

// Fields may come in any order.
bool says_the_same(const Json& a, const Json& b) { return nlohmann::json(a) == nlohmann::json(b); }

const std::string& text_field(const Json& entry, const char* name) {
  return entry.at(name).get_ref<const std::string&>();
}

// As TPM2_PolicyAuthorize checks it; no reference: empty.
Buffer with_reference(Bytes policy_digest, std::string_view reference) {
  Buffer bytes(policy_digest.begin(), policy_digest.end());
  if (reference.empty()) return bytes;
  const Digest hashed = sha256(bytes_of(reference));
  bytes.insert(bytes.end(), hashed.bytes().begin(), hashed.bytes().end());
  return bytes;
}

// The signed bytes of an entry: "tbs", or what it would be.
Buffer bytes_to_sign(const Json& entry) {
  if (entry.contains("tbs")) return *bytes_of_hex(text_field(entry, "tbs"));
  const Buffer digest = *bytes_of_hex(text_field(entry, "pol"));
  return with_reference(digest, entry.contains("ref") ? text_field(entry, "ref") : std::string());
}

const Json* signature_for(const Json& entry, const Json& signed_ones) {
  for (const Json& other : signed_ones)
    if (other.contains("sig") && bytes_to_sign(other) == bytes_to_sign(entry) &&
        (!entry.contains("pkfp") || !other.contains("pkfp") || entry["pkfp"] == other["pkfp"]))
      return &other["sig"];
  return nullptr;
}

}  // namespace

Buffer signed_bytes(const PcrPolicy& policy) {
  const Digest digest = or_fail(pcr_policy_digest(pcr::kernel_image, policy.pcr), "PCR policy");
  return with_reference(digest.bytes(), policy.reference);
}

PcrSignatures PcrSignatures::parse(Bytes text, const std::string& subject) {
  PcrSignatures result;
  result.banks_ = parse_json(text, subject);
  if (!result.banks_.is_object()) throw Failure(subject + ": not an object of PCR banks");
  for (const auto& [bank, entries] : result.banks_.items()) {
    if (!entries.is_array()) throw Failure(subject + ": " + bank + ": not an array");
    if (!parse_hash_algorithm(bank)) warn(subject + ": " + bank + ": unknown PCR bank");
    for (std::size_t i = 0; i < entries.size(); ++i)
      check_entry(entries[i], subject + ": " + bank + "[" + std::to_string(i) + "]");
  }
  return result;
}

void PcrSignatures::add(const PcrPolicy& policy, const PublicKey* key,
                        const std::optional<Buffer>& signature) {
  const Digest digest = or_fail(pcr_policy_digest(pcr::kernel_image, policy.pcr), "PCR policy");
  Json entry = Json::object();
  entry["pcrs"] = Json::array({pcr::kernel_image});
  if (key != nullptr) entry["pkfp"] = hex(key->fingerprint());
  if (!policy.reference.empty()) entry["ref"] = policy.reference;
  entry["pol"] = hex(digest);
  if (signature)
    entry["sig"] = base64_of(*signature);
  else
    entry["tbs"] = hex(signed_bytes(policy));
  add_entry(std::string(name(policy.pcr.algorithm())), entry);
}

void PcrSignatures::add_entry(const std::string& bank, const Json& entry) {
  Json entries = banks_.contains(bank) ? banks_[bank] : Json::array();
  if (std::ranges::none_of(entries, [&](const Json& old) { return says_the_same(old, entry); }))
    entries.push_back(entry);
  banks_.erase(bank);
  banks_[bank] = std::move(entries);
}

void PcrSignatures::merge(const PcrSignatures& other) {
  for (const auto& [bank, entries] : other.banks_.items())
    for (const Json& entry : entries) {
      Json& own = banks_[bank];
      if (std::ranges::none_of(own, [&](const Json& old) { return says_the_same(old, entry); }))
        own.push_back(entry);
    }
}

PcrSignatures::Filled PcrSignatures::fill_from(const PcrSignatures& signed_ones,
                                               const PublicKey* key, const std::string& subject) {
  Filled result;
  for (auto& [bank, entries] : banks_.items()) {
    const auto others = signed_ones.banks_.find(bank);
    for (Json& entry : entries) {
      const Json* signature =
          others == signed_ones.banks_.end() ? nullptr : signature_for(entry, *others);
      if (signature == nullptr) {
        if (!entry.contains("sig")) ++result.missing;
        continue;
      }
      const bool ours = key != nullptr && entry.contains("pkfp") &&
                        text_field(entry, "pkfp") == hex(key->fingerprint());
      if (ours && !key->verifies(bytes_to_sign(entry),
                                 *bytes_of_base64(signature->get_ref<const std::string&>())))
        throw Failure(subject + ": the signature of policy " + text_field(entry, "pol") + " in " +
                      bank +
                      " does not verify with the key in .pcrpkey; it must be made over the bytes "
                      "of \"tbs\" with RSA PKCS#1 v1.5 and SHA-256, in every bank");
      entry["sig"] = *signature;
      ++result.filled;
    }
  }
  return result;
}

std::size_t PcrSignatures::size() const {
  std::size_t count = 0;
  for (const Json& entries : banks_) count += entries.size();
  return count;
}

}  // namespace keelson::tool
