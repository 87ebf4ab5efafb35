// SPDX-License-Identifier: MIT
//
// Owns the keys of PCR policies: RSA keys in PEM files, through mbedTLS; keys in OpenSSL providers
// and engines (tokens, HSMs), through the program openssl. Signatures are RSASSA PKCS#1 v1.5 with
// SHA-256, which is what TPM2_PolicyAuthorize users of systemd check.
#pragma once

#include <memory>
#include <string>

#include "efi/base/digest.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

// Where a key or certificate is: "file" (PEM), "provider:NAME" or "engine:NAME" of OpenSSL.
struct KeySource {
  enum class Kind { file, provider, engine };
  Kind kind = Kind::file;
  std::string name;

  // `option` is for the Failure.
  static KeySource parse(const std::string& text, const std::string& option);
  bool is_file() const { return kind == Kind::file; }
};

struct RsaContext;  // mbedTLS's

// An RSA public key of at least 2048 bits.
class PublicKey {
 public:
  // PEM: PUBLIC KEY (SubjectPublicKeyInfo) or RSA PUBLIC KEY (PKCS#1). Failure names `subject`.
  static PublicKey from_pem(Bytes pem, const std::string& subject);
  // PEM: CERTIFICATE. Failure names `subject`.
  static PublicKey from_certificate(Bytes pem, const std::string& subject);

  // "pkfp": SHA-256 of the DER of the PKCS#1 RSAPublicKey.
  Digest fingerprint() const;
  // SubjectPublicKeyInfo, which is what `.pcrpkey` holds.
  std::string pem() const;
  bool verifies(Bytes data, Bytes signature) const;

 private:
  friend class PcrKey;
  explicit PublicKey(std::shared_ptr<const RsaContext> context) : context_(std::move(context)) {}
  std::shared_ptr<const RsaContext> context_;
};

// What the options say of one key.
struct PcrKeyNames {
  std::string private_key;  // PEM file, or a URI of the source
  KeySource private_source;
  std::string public_key;   // PEM file; or
  std::string certificate;  // PEM file, or a URI of the source; neither: taken from the private key
  KeySource certificate_source;
};

// The public half alone. Failure: none or both are named; as PublicKey.
PublicKey read_public_key(const PcrKeyNames& names);

// A key to sign with.
class PcrKey {
 public:
  // Failure: missing, not PEM, encrypted, no RSA key, too short, not the pair of the public key
  // that is named.
  explicit PcrKey(const PcrKeyNames& names);

  const PublicKey& public_key() const { return public_key_; }
  // The signature, verified. Failure: the key does not work.
  Buffer sign(Bytes data) const;

 private:
  PcrKeyNames names_;
  std::shared_ptr<const RsaContext> private_key_;  // null: in a provider or engine
  PublicKey public_key_;
};

}  // namespace keelson::tool
