// SPDX-License-Identifier: MIT
//
// Looking for our firmware programs.
#include "tools/keelson/programs.h"

#include <algorithm>
#include <array>

#include "efi/format/pe.h"
#include "tools/keelson/failure.h"

namespace keelson::tool {
namespace {

constexpr const char* installed_directory = "/usr/lib/keelson/efi";

// build/tools/keelson lies beside build/loader and build/stub.
fs::path build_directory() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : self.parent_path().parent_path();
}

}  // namespace

std::string program_file_name(Program program, const std::string& arch) {
  switch (program) {
    case Program::loader:
      return "keelson-boot" + arch + ".efi";
    case Program::stub:
      return "keelson-stub" + arch + ".efi.stub";
    case Program::addon:
      return "keelson-addon" + arch + ".efi.stub";
  }
  return {};
}

fs::path find_program(Program program, const std::string& arch, const fs::path& directory) {
  const std::string name = program_file_name(program, arch);
  std::vector<fs::path> places;
  if (!directory.empty()) {
    places = {directory};
  } else {
    places = {build_directory() / (program == Program::loader ? "loader" : "stub"),
              installed_directory};
  }
  std::string looked;
  for (const fs::path& place : places) {
    // Only the loader is started by itself, so only the loader is found signed; a stub is signed as
    // part of a UKI.
    if (program == Program::loader && fs::is_regular_file(place / (name + ".signed")))
      return place / (name + ".signed");
    if (fs::is_regular_file(place / name)) return place / name;
    looked += (looked.empty() ? "" : " and ") + place.string();
  }
  throw Failure(name + ": not found in " + looked);
}

std::string native_arch() { return std::string(pe::efi_arch(pe::native_machine)); }

bool is_architecture(std::string_view name) {
  using enum pe::Machine;
  return std::ranges::any_of(
      std::array{i386, x64, arm, aa64, riscv32, riscv64, loongarch32, loongarch64},
      [&](pe::Machine machine) { return pe::efi_arch(machine) == name; });
}

}  // namespace keelson::tool
