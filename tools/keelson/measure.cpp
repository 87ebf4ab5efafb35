// SPDX-License-Identifier: MIT
//
// keelson measure: PCR 11 of section files (calculate), signatures of policies on it (sign), and
// what is to be signed elsewhere (policy-digest); computed and printed as systemd-measure does.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "efi/format/uki_sections.h"
#include "tools/keelson/failure.h"
#include "tools/keelson/host_file.h"
#include "tools/keelson/pcr.h"
#include "tools/keelson/pcr_key.h"
#include "tools/keelson/pcr_signatures.h"
#include "tools/keelson/verbs.h"

namespace keelson::tool {
namespace {

struct MeasureOptions {
  std::array<std::vector<std::string>, uki_sections.size()> files;  // by UkiSection
  PcrChoice pcrs;
  JsonForm json = JsonForm::off;
  // sign and policy-digest only
  PcrKeyNames key;
  std::string policy_reference, document_to_append_to;
};

std::vector<PcrValue> pcr_values(const MeasureOptions& options) {
  if (options.files[static_cast<std::size_t>(UkiSection::kernel)].empty())
    throw Failure("measure: no kernel is given; --linux=FILE is required");
  std::vector<Buffer> contents;
  MeasurementList list;
  for (const UkiSectionRow& section : uki_sections) {
    for (const std::string& path : options.files[static_cast<std::size_t>(section.id)]) {
      contents.push_back(read_file(path));
      or_fail(list.add_section(section.id, {.stored = contents.back()}), path);
    }
  }
  return replay_phases_of(list, options.pcrs);
}

void calculate(const MeasureOptions& options) { print_pcrs(pcr_values(options), options.json); }

PcrSignatures document_to_append_to(const MeasureOptions& options) {
  const std::string& path = options.document_to_append_to;
  return path.empty() ? PcrSignatures() : PcrSignatures::parse(read_file(path), path);
}

void print_document(const PcrSignatures& document, JsonForm form) {
  print_json(document.json(), form == JsonForm::off ? JsonForm::brief : form);
}

void sign(const MeasureOptions& options) {
  if (options.key.private_key.empty())
    throw Failure("measure sign: no key is given; --private-key=FILE is required");
  const PcrKey key(options.key);
  PcrSignatures document = document_to_append_to(options);
  for (const PcrValue& pcr : pcr_values(options)) {
    const PcrPolicy policy{.pcr = pcr.value, .reference = options.policy_reference};
    document.add(policy, &key.public_key(), key.sign(signed_bytes(policy)));
  }
  print_document(document, options.json);
}

void policy_digest(const MeasureOptions& options) {
  std::optional<PublicKey> key;
  if (!options.key.public_key.empty() || !options.key.certificate.empty())
    key = read_public_key(options.key);
  PcrSignatures document = document_to_append_to(options);
  for (const PcrValue& pcr : pcr_values(options))
    document.add({.pcr = pcr.value, .reference = options.policy_reference}, key ? &*key : nullptr,
                 std::nullopt);
  print_document(document, options.json);
}

void add_section_options(CLI::App& command, MeasureOptions& options) {
  for (const UkiSectionRow& section : uki_sections) {
    if (!section.measured) continue;
    CLI::Option* option = command.add_option("--" + std::string(section.name.substr(1)),
                                             options.files[static_cast<std::size_t>(section.id)],
                                             "Content of section " + std::string(section.name));
    option->option_text("FILE")->allow_extra_args(false);
    if (!section.many) option->expected(1)->take_last();
  }
}

void add_source_option(CLI::App& command, const char* name, KeySource& source, const char* help) {
  command
      .add_option_function<std::string>(
          name, [&source, name](const std::string& text) { source = KeySource::parse(text, name); },
          help)
      ->type_name("SOURCE");
}

void add_key_options(CLI::App& command, MeasureOptions& options) {
  const auto file = [&](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->type_name("FILE");
  };
  file("--public-key", options.key.public_key, "Public key of the signatures, PEM");
  file("--certificate", options.key.certificate, "Certificate with that key instead, PEM");
  add_source_option(command, "--certificate-source", options.key.certificate_source,
                    "Where the certificate is: file (default); OpenSSL's provider:NAME");
  command
      .add_option("--policyref", options.policy_reference,
                  "Name without which the signatures are not accepted, such as initrd")
      ->type_name("TEXT");
  file("--append", options.document_to_append_to, "Signatures to add to, JSON");
}

CLI::App* add_verb(CLI::App& measure, const char* name, const char* help, MeasureOptions& options) {
  CLI::App* command = measure.add_subcommand(name, help);
  add_section_options(*command, options);
  options.pcrs.add_options(*command);
  add_json_option(*command, options.json);
  command->group("Verbs");
  return command;
}

}  // namespace

void add_measure(CLI::App& app) {
  const auto options = std::make_shared<MeasureOptions>();
  CLI::App* measure =
      app.add_subcommand("measure", "Compute and sign the PCR 11 values of section files");
  measure->require_subcommand(1);
  measure->get_formatter()->label("SUBCOMMAND", "VERB");

  CLI::App* command = add_verb(*measure, "calculate", "Print the expected PCR 11 values", *options);
  command->callback([options] { calculate(*options); });

  command =
      add_verb(*measure, "sign",
               "Print signatures of policies on the expected PCR 11 values (.pcrsig)", *options);
  command->add_option("--private-key", options->key.private_key, "RSA key to sign with, PEM")
      ->type_name("FILE");
  add_source_option(*command, "--private-key-source", options->key.private_source,
                    "Where the key is: file (default); OpenSSL's provider:NAME, engine:NAME");
  add_key_options(*command, *options);
  command->callback([options] { sign(*options); });

  command = add_verb(*measure, "policy-digest",
                     "Print what is to be signed, for signing it elsewhere", *options);
  add_key_options(*command, *options);
  command->callback([options] { policy_digest(*options); });
}

}  // namespace keelson::tool
