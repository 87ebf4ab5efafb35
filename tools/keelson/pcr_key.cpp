// SPDX-License-Identifier: MIT
//
// Keys of PCR policies over mbedTLS, and over the program openssl for what is in no file.
#include "tools/keelson/pcr_key.h"

#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_crt.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <array>

#include "tools/keelson/child.h"
#include "tools/keelson/failure.h"

namespace keelson::tool {

// Of mbedTLS: a public key or a pair.
struct RsaContext {
  RsaContext() { mbedtls_pk_init(&pk); }
  ~RsaContext() { mbedtls_pk_free(&pk); }
  RsaContext(const RsaContext&) = delete;
  RsaContext& operator=(const RsaContext&) = delete;
  // What mbedTLS's functions take; those we call do not change it.
  mbedtls_pk_context* get() const { return const_cast<mbedtls_pk_context*>(&pk); }
  mbedtls_pk_context pk;
};

namespace {

constexpr std::size_t least_key_bits = 2048;

const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Text as mbedTLS wants PEM: with a NUL behind it; wiped at the end.
class PemText {
 public:
  PemText(Bytes pem, const std::string& subject) : text_(text_of(pem)) {
    if (text_.find("-----BEGIN ") == std::string::npos)
      throw Failure(subject + ": not a PEM file; there is no \"-----BEGIN\" line in it");
  }
  ~PemText() { mbedtls_platform_zeroize(text_.data(), text_.size()); }
  PemText(const PemText&) = delete;
  PemText& operator=(const PemText&) = delete;

  bool mentions(std::string_view words) const { return text_.find(words) != std::string::npos; }
  const unsigned char* data() const {
    return reinterpret_cast<const unsigned char*>(text_.c_str());
  }
  std::size_t size() const { return text_.size() + 1; }

 private:
  std::string text_;
};

void check_kind(const mbedtls_pk_context& key, const std::string& subject) {
  if (mbedtls_pk_get_type(&key) != MBEDTLS_PK_RSA)
    throw Failure(subject + ": is no RSA key; TPMs check policies of systemd with RSA keys only");
  const std::size_t bits = mbedtls_pk_get_bitlen(&key);
  if (bits < least_key_bits)
    throw Failure(subject + ": an RSA key of " + std::to_string(bits) +
                  " bits is too weak; make one of 2048");
}

// Whether the file, and every directory on the way to it, lets everybody in.
bool everybody_can_read(const fs::path& file) {
  std::error_code error;
  fs::path path = fs::canonical(file, error);
  struct stat state{};
  if (error || ::stat(path.c_str(), &state) != 0 || (state.st_mode & S_IROTH) == 0) return false;
  while (path != path.root_path()) {
    path = path.parent_path();
    if (::stat(path.c_str(), &state) != 0 || (state.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

// Blinding of RSA wants random bytes.
int random_bytes(void*, unsigned char* out, std::size_t size) {
  return ::getrandom(out, size, 0) == static_cast<ssize_t>(size) ? 0 : MBEDTLS_ERR_PK_ALLOC_FAILED;
}

// Runs openssl, which answers in a file.
Buffer ask_openssl(std::vector<std::string> words, const KeySource& source, const char* engine_form,
                   const std::string& what) {
  const FileInMemory output, log;
  words.insert(words.begin(), "openssl");
  words.insert(words.end(), {"-out", output.path()});
  if (source.kind == KeySource::Kind::provider)
    words.insert(words.end(), {"-provider", source.name, "-provider", "default"});
  if (source.kind == KeySource::Kind::engine)
    words.insert(words.end(), {"-engine", source.name, engine_form, "ENGINE"});
  const int status = run_child(words, log);
  if (status == program_not_found) throw Failure("openssl: not found; install the package openssl");
  if (status != 0) throw Failure(what + ": openssl cannot use it: " + reason_in(log));
  return read_file(output.path());
}

PublicKey public_key_of_source(const PcrKeyNames& names) {
  return PublicKey::from_pem(ask_openssl({"pkey", "-in", names.private_key, "-pubout"},
                                         names.private_source, "-inform", names.private_key),
                             names.private_key);
}

}  // namespace

KeySource KeySource::parse(const std::string& text, const std::string& option) {
  if (text == "file") return {};
  for (const auto& [prefix, kind] :
       {std::pair{"provider:", Kind::provider}, {"engine:", Kind::engine}})
    if (text.starts_with(prefix) && text != prefix)
      return {kind, text.substr(std::string_view(prefix).size())};
  throw Failure(option + "=" + text + ": unknown; known are file, provider:NAME and engine:NAME");
}

PublicKey PublicKey::from_pem(Bytes pem, const std::string& subject) {
  const PemText text(pem, subject);
  if (text.mentions("PRIVATE KEY-----"))
    throw Failure(subject + ": holds a private key, not a public one");
  if (text.mentions("-----BEGIN CERTIFICATE-----"))
    throw Failure(subject + ": holds a certificate, not a public key");
  auto context = std::make_shared<RsaContext>();
  if (mbedtls_pk_parse_public_key(&context->pk, text.data(), text.size()) != 0)
    throw Failure(subject + ": not a public key in PEM that can be read");
  check_kind(context->pk, subject);
  return PublicKey(std::move(context));
}

PublicKey PublicKey::from_certificate(Bytes pem, const std::string& subject) {
  const PemText text(pem, subject);
  if (!text.mentions("-----BEGIN CERTIFICATE-----")) throw Failure(subject + ": not a certificate");
  mbedtls_x509_crt certificate;
  mbedtls_x509_crt_init(&certificate);
  std::array<unsigned char, 4096> room{};
  int size = mbedtls_x509_crt_parse(&certificate, text.data(), text.size());
  if (size == 0) size = mbedtls_pk_write_pubkey_der(&certificate.pk, room.data(), room.size());
  mbedtls_x509_crt_free(&certificate);
  auto context = std::make_shared<RsaContext>();
  if (size <= 0 || mbedtls_pk_parse_public_key(&context->pk, room.data() + room.size() - size,
                                               static_cast<std::size_t>(size)) != 0)
    throw Failure(subject + ": not a certificate in PEM that can be read");
  check_kind(context->pk, subject);
  return PublicKey(std::move(context));
}

Digest PublicKey::fingerprint() const {
  std::array<unsigned char, 4096> room{};
  unsigned char* start = room.data() + room.size();  // written from behind
  const int size = mbedtls_pk_write_pubkey(&start, room.data(), context_->get());
  if (size <= 0) throw Failure("public key: cannot be encoded");
  return sha256(std::as_bytes(std::span(start, static_cast<std::size_t>(size))));
}

std::string PublicKey::pem() const {
  std::array<unsigned char, 8192> room{};
  if (mbedtls_pk_write_pubkey_pem(context_->get(), room.data(), room.size()) != 0)
    throw Failure("public key: cannot be encoded");
  return reinterpret_cast<const char*>(room.data());
}

bool PublicKey::verifies(Bytes data, Bytes signature) const {
  const Digest digest = sha256(data);
  return mbedtls_pk_verify(context_->get(), MBEDTLS_MD_SHA256, octets(digest.bytes()),
                           digest.bytes().size(), octets(signature), signature.size()) == 0;
}

PublicKey read_public_key(const PcrKeyNames& names) {
  if (!names.public_key.empty() && !names.certificate.empty())
    throw Failure("a public key and a certificate are given for one PCR key; give one of them");
  if (!names.public_key.empty())
    return PublicKey::from_pem(read_file(names.public_key), names.public_key);
  if (names.certificate.empty())
    throw Failure("neither a public key nor a certificate is given for the PCR policies");
  if (names.certificate_source.is_file())
    return PublicKey::from_certificate(read_file(names.certificate), names.certificate);
  return PublicKey::from_certificate(
      ask_openssl({"x509", "-in", names.certificate}, names.certificate_source, "-inform",
                  names.certificate),
      names.certificate);
}

namespace {

std::shared_ptr<const RsaContext> read_private_key(const std::string& path) {
  Buffer pem = read_file(path);
  const PemText text(pem, path);
  mbedtls_platform_zeroize(pem.data(), pem.size());
  if (!text.mentions("PRIVATE KEY-----")) throw Failure(path + ": holds no private key");
  if (text.mentions("BEGIN ENCRYPTED PRIVATE KEY-----") || text.mentions("Proc-Type: 4,ENCRYPTED"))
    throw Failure(path +
                  ": the private key is encrypted; decrypt it with `openssl pkey`, or keep " +
                  "it in a token and name its provider");
  if (everybody_can_read(path))
    throw Failure(path + ": everybody on this machine can read the private key; `chmod 600` it");
  auto context = std::make_shared<RsaContext>();
  if (mbedtls_pk_parse_key(&context->pk, text.data(), text.size(), nullptr, 0) != 0)
    throw Failure(path + ": not a private key in PEM that can be read");
  check_kind(context->pk, path);
  return context;
}

}  // namespace

PcrKey::PcrKey(const PcrKeyNames& names)
    : names_(names),
      private_key_(names.private_source.is_file() ? read_private_key(names.private_key) : nullptr),
      public_key_([&] {
        if (!names.public_key.empty() || !names.certificate.empty()) return read_public_key(names);
        return private_key_ ? PublicKey(private_key_) : public_key_of_source(names);
      }()) {
  if (private_key_ && mbedtls_pk_check_pair(public_key_.context_->get(), private_key_->get()) != 0)
    throw Failure((names.public_key.empty() ? names.certificate : names.public_key) +
                  ": is not the public half of " + names.private_key);
}

Buffer PcrKey::sign(Bytes data) const {
  Buffer signature;
  if (private_key_) {
    const Digest digest = sha256(data);
    std::size_t size = 0;
    signature.resize(MBEDTLS_PK_SIGNATURE_MAX_SIZE);
    if (mbedtls_pk_sign(private_key_->get(), MBEDTLS_MD_SHA256, octets(digest.bytes()),
                        digest.bytes().size(), reinterpret_cast<unsigned char*>(signature.data()),
                        &size, random_bytes, nullptr) != 0)
      throw Failure(names_.private_key + ": cannot sign with this key");
    signature.resize(size);
  } else {
    FileInMemory input;
    input.write(data);
    signature = ask_openssl({"pkeyutl", "-sign", "-rawin", "-digest", "sha256", "-in", input.path(),
                             "-inkey", names_.private_key},
                            names_.private_source, "-keyform", names_.private_key);
  }
  if (!public_key_.verifies(data, signature))
    throw Failure(names_.private_key + ": its signature does not verify with its public key");
  return signature;
}

}  // namespace keelson::tool
