// SPDX-License-Identifier: MIT
//
// Owns the byte ranges that Secure Boot hashes: see authenticode.h.
#include "efi/format/authenticode.h"

#include "efi/base/merge_sort.h"

namespace keelson::authenticode {
namespace {

constexpr std::array<std::byte, 8> zeros{};

struct Part {
  std::uint64_t at = 0, size = 0;
};

// Sections with data in the file, by file offset, none over another or over the headers.
Result<PageList<Part>> section_parts(const pe::Image& image, std::uint64_t file_size) {
  const pe::Headers& headers = image.headers();
  PageList<Part> parts;
  std::uint32_t sound = 0;
  for (const pe::Section& section : image.sections()) {
    ++sound;
    if (section.raw_size != 0) TRY(parts.push({pe::value(section.raw_pointer), section.raw_size}));
  }
  // A section that readers would skip but firmware might hash makes the hash ambiguous.
  if (sound != headers.section_count) return fail(Errc::malformed, "section outside the image");
  const auto order = TRY(sorted_indices(
      parts.size(), [&](std::uint32_t a, std::uint32_t b) { return parts[a].at < parts[b].at; }));
  PageList<Part> sorted;
  std::uint64_t end = headers.size_of_headers;
  for (const std::uint32_t i : order.items()) {
    const Part part = parts[i];
    if (part.at < end) return fail(Errc::malformed, "sections share bytes of the file", part.at);
    end = part.at + part.size;
    if (end > file_size) return fail(Errc::truncated, "section past the end of the file", part.at);
    TRY(sorted.push(part));
  }
  return sorted;
}

// `hashed_end`: where the certificate table may begin.
Result<Bytes> table_of(Bytes file, const pe::Headers& headers, std::uint64_t hashed_end) {
  const std::uint64_t at = headers.certificates.address;
  const std::uint64_t size = headers.certificates.size;
  if (at == 0 && size == 0) return Bytes{};
  const Bytes table = TRY(slice(file, at, size, "certificate table past the end of the file"));
  if (at < hashed_end) return fail(Errc::malformed, "certificate table over sections", at);
  if (at % 8 != 0) return fail(Errc::malformed, "certificate table not aligned", at);
  if (size == 0 || at + size != file.size())
    return fail(Errc::malformed, "certificate table not at the end of the file", at);
  return table;
}

struct Parsed {
  pe::Headers headers;
  PageList<Part> sections;
  std::uint64_t sections_end = 0;
  Bytes certificates;
};

Result<Parsed> parse(Bytes file) {
  const pe::Image image = TRY(pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine));
  Parsed parsed;
  parsed.headers = image.headers();
  parsed.sections = TRY(section_parts(image, file.size()));
  if (parsed.headers.size_of_headers > file.size())
    return fail(Errc::truncated, "headers past the end of the file", file.size());
  if (parsed.headers.size_of_headers < parsed.headers.table_end())
    return fail(Errc::malformed, "headers larger than SizeOfHeaders", parsed.headers.table_end());
  parsed.sections_end = parsed.headers.size_of_headers;
  if (!parsed.sections.empty()) {
    const Part& last = parsed.sections[parsed.sections.size() - 1];
    parsed.sections_end = last.at + last.size;
  }
  parsed.certificates = TRY(table_of(file, parsed.headers, parsed.sections_end));
  return parsed;
}

}  // namespace

Result<PageList<Bytes>> hashed_bytes(Bytes file) {
  const Parsed parsed = TRY(parse(file));
  const pe::Headers& headers = parsed.headers;
  PageList<Bytes> hashed;
  const auto push = [&](std::uint64_t from, std::uint64_t to) -> Result<> {
    if (from == to) return {};
    return hashed.push(TRY(slice(file, from, to - from, "headers past the end of the file")));
  };
  const std::uint64_t certificate_entry =
      headers.directories_offset + pe::directory_certificates * sizeof(pe::DataDirectory);
  TRY(push(0, headers.check_sum_offset));
  TRY(push(headers.check_sum_offset + 4, certificate_entry));
  TRY(push(certificate_entry + sizeof(pe::DataDirectory), headers.size_of_headers));
  std::uint64_t counted = headers.size_of_headers;
  for (const Part& part : parsed.sections.items()) {
    TRY(push(part.at, part.at + part.size));
    counted += part.size;
  }
  // What follows is found by counting, as firmware does: gaps between sections shift it.
  const std::uint64_t end = file.size() - parsed.certificates.size();
  if (counted < end) TRY(push(counted, end));
  // Signers pad a file to 8 bytes first, and hash that.
  if (file.size() % 8 != 0 && parsed.certificates.empty())
    TRY(hashed.push(Bytes(zeros).first(8 - file.size() % 8)));
  return hashed;
}

Result<Bytes> certificate_table(Bytes file) { return TRY(parse(file)).certificates; }

Result<std::optional<Certificate>> next_certificate(Bytes table, std::size_t& at) {
  struct Header {
    Le<std::uint32_t> length;
    Le<std::uint16_t> revision, type;
  };
  static_assert(sizeof(Header) == 8);
  if (at >= table.size()) return std::optional<Certificate>();
  const auto header = TRY(load<Header>(table, at, "certificate header past the end"));
  if (header.length < sizeof(Header)) return fail(Errc::malformed, "certificate length", at);
  const Bytes whole = TRY(slice(table, at, header.length, "certificate past the end"));
  const auto next = align_up(std::uint64_t{at} + header.length, 8);
  at = next && *next < table.size() ? static_cast<std::size_t>(*next) : table.size();
  return std::optional(Certificate{header.revision, header.type, whole.subspan(sizeof(Header))});
}

}  // namespace keelson::authenticode
