// SPDX-License-Identifier: MIT
//
// Owns the images that the simulated machine boots: programs whose entry point names host code
// (images.h), kernels, and UKIs that linker/ builds from them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "efi/format/identity.h"
#include "host-tests/format/sample_pe.h"
#include "linker/uki_builder.h"

namespace keelson::sim {

using sample::Buffer;

inline std::string entry_text(std::string_view name) {
  return "sim:" + std::string(name) + std::string(1, '\0') + std::string(0x100, 'x');
}

// A program and sections behind its own, as builders of UKIs and add-ons append them; without any,
// one to which they can be added.
inline Buffer program_image(std::string_view name,
                            const std::vector<sample::Section>& sections = {}) {
  sample::Pe pe;
  pe.size_of_headers = 0x1000;
  pe.sections = {
      {.name = ".text",
       .content = entry_text(name),
       .flags = pe::section_code | pe::section_execute | pe::section_read},
      {.name = ".sdmagic", .content = "#### LoaderInfo: sample 1 ####"},
      {.name = ".sbat", .content = "sbat,1,SBAT Version,sbat,1,https://example.com\n"},
  };
  for (sample::Section& section : pe.sections)
    section.raw_size = sample::up(static_cast<std::uint32_t>(section.content.size()), 0x200);
  pe.sections.insert(pe.sections.end(), sections.begin(), sections.end());
  return sample::make(pe);
}

// A kernel that a stub starts in memory. `salt` makes others of the same name.
inline Buffer kernel_image(std::string_view name, std::string_view salt = {}) {
  sample::Pe kernel = sample::kernel_pe();
  kernel.entry_point = 0x2000;
  kernel.sections[0].content.replace(0, salt.size(), salt);
  const std::string text = entry_text(name);
  kernel.sections[1].content.replace(0, text.size(), text);
  return sample::make(kernel);
}

struct UkiSample {
  std::string kernel = "kernel";
  std::string version = "1";
  std::string title = "Sample OS";
  std::string id = "sample";
  std::string cmdline = {};  // empty: no .cmdline
  std::string initrd = "the initrd of the image";
  std::string pcrsig = {};
  std::string pcrpkey = {};
  std::string splash = {};
};

// A picture of one pixel, BMP of 32 bits with alpha.
inline std::string splash_picture() {
  std::string bmp = "BM";
  for (const std::uint32_t field : {74u, 0u, 70u, 56u, 1u, 1u, 0x20'0001u, 3u, 0u, 0u, 0u, 0u, 0u,
                                    0xff'0000u, 0xff00u, 0xffu, 0xff00'0000u, 0x80ff'8040u})
    for (std::uint32_t byte = 0; byte < 4; ++byte)
      bmp += static_cast<char>(field >> (8 * byte) & 0xff);
  return bmp;
}

inline std::string osrel_of(const UkiSample& sample) {
  return "ID=" + sample.id + "\nPRETTY_NAME=\"" + sample.title +
         "\"\nVERSION_ID=" + sample.version + "\n";
}

// Empty if it cannot be built.
inline Buffer uki_image(const UkiSample& sample = {}) {
  const Buffer stub = program_image("stub");
  const Buffer kernel = kernel_image(sample.kernel, sample.version);
  const std::string osrel = osrel_of(sample);
  linker::UkiInputs inputs;
  inputs.stub = stub;
  inputs.kernel = kernel;
  inputs.osrel = bytes_of(osrel);
  if (!sample.cmdline.empty()) inputs.cmdline = bytes_of(sample.cmdline);
  if (!sample.initrd.empty()) inputs.initrds.push_back(bytes_of(sample.initrd));
  if (!sample.pcrsig.empty()) inputs.pcrsig = bytes_of(sample.pcrsig);
  if (!sample.pcrpkey.empty()) inputs.pcrpkey = bytes_of(sample.pcrpkey);
  if (!sample.splash.empty()) inputs.splash = bytes_of(sample.splash);
  inputs.uname = bytes_of(sample.version);
  auto built = linker::build_uki(inputs);
  return built.has_value() ? std::move(built->image) : Buffer();
}

}  // namespace keelson::sim
