// SPDX-License-Identifier: MIT
// Stands in for Linux where a scenario is about what comes before it: reports its command line, the
// boot variables and how it was started, then does what the first word of the command line says:
//   power-off      (or any other word)
//   return-error   return-success     hands control back
//   stay           does nothing more, so that the screen can be looked at
//   run-data       calls an instruction in its writable data first, which must fault if that is XP
#include "payload.h"

namespace {

using payload::Report;

struct MemoryAttributeProtocol {
  EFI_STATUS(EFIAPI* get)(MemoryAttributeProtocol*, EFI_PHYSICAL_ADDRESS, UINT64 length,
                          UINT64* attributes);
  EFI_STATUS(EFIAPI* set)(MemoryAttributeProtocol*, EFI_PHYSICAL_ADDRESS, UINT64 length,
                          UINT64 attributes);
  EFI_STATUS(EFIAPI* clear)(MemoryAttributeProtocol*, EFI_PHYSICAL_ADDRESS, UINT64 length,
                            UINT64 attributes);
};

struct LoadFile2Protocol {
  EFI_STATUS(EFIAPI* load)(LoadFile2Protocol*, EFI_DEVICE_PATH*, BOOLEAN boot_policy, UINTN* size,
                           void* buffer);
};

EFI_GUID memory_attribute_guid = {
    0xf4560cf6, 0x40ec, 0x4b4a, {0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89}};
EFI_GUID load_file2_guid = {
    0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}};
EFI_GUID loaded_image_guid = LOADED_IMAGE_PROTOCOL;
EFI_GUID seed_table_guid = {
    0x1ce1e5bc, 0x7ceb, 0x42f2, {0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b}};

// 5568e427-68fc-4f3d-ac74-ca555231cc68, where Linux looks for its initrd.
uint8_t initrd_path[] = {4,    3,    20,   0,    0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f,
                         0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68, 0x7f, 0xff, 4,    0};

// One instruction, `ret`, where data is.
uint8_t code_in_data[16] = {0xc3};

#ifdef RELOCATABLE
// An absolute address makes the linker write base relocations, which LoadImage wants.
__attribute__((used, section(".rdata"))) const void* const self = &self;
#endif

void report_variables(Report& report, EFI_SYSTEM_TABLE* table) {
  CHAR16 name[256] = {};
  EFI_GUID vendor = {};
  static uint8_t data[32768];
  for (int i = 0; i < 2000; ++i) {
    UINTN name_size = sizeof(name);
    if (table->RuntimeServices->GetNextVariableName(&name_size, name, &vendor) != EFI_SUCCESS)
      return;
    if (!(name[0] == 'L' && name[1] == 'o') &&
        !(name[0] == 'S' && name[1] == 't' && name[2] == 'u') &&
        !(name[0] == 'K' && name[1] == 'e' && name[2] == 'e') &&
        !(name[0] == 'S' && name[6] == 'B'))
      continue;
    UINTN size = sizeof(data) - 4;
    UINT32 attributes = 0;
    if (table->RuntimeServices->GetVariable(name, &vendor, &attributes, &size, data + 4) !=
        EFI_SUCCESS)
      continue;
    __builtin_memcpy(data, &attributes, 4);
    report.line("variable");
    for (const CHAR16* c = name; *c != 0; ++c) payload::put(static_cast<char>(*c));
    payload::put(' ');
    payload::put_base64(data, size + 4);
    report.end_line();
  }
}

// Rights of each of our pages, as the firmware says they are.
void report_pages(Report& report, EFI_LOADED_IMAGE* image, EFI_SYSTEM_TABLE* table) {
  MemoryAttributeProtocol* protocol = nullptr;
  if (table->BootServices->LocateProtocol(&memory_attribute_guid, nullptr,
                                          reinterpret_cast<void**>(&protocol)) != EFI_SUCCESS)
    return;
  const auto base = reinterpret_cast<EFI_PHYSICAL_ADDRESS>(image->ImageBase);
  for (UINT64 rva = 0; rva < image->ImageSize; rva += 4096) {
    UINT64 attributes = 0;
    const auto status = protocol->get(protocol, base + rva, 4096, &attributes);
    report.line("page");
    payload::put_number(rva, 16);
    payload::put(' ');
    payload::put_number(status == EFI_SUCCESS ? attributes : ~UINT64{0}, 16);
    report.end_line();
  }
}

// A number that launcher.cpp left; 0 if it did not start this.
uint64_t of_launcher(EFI_SYSTEM_TABLE* table, const char16_t* name) {
  uint64_t value = 0;
  UINTN size = sizeof(value);
  const auto status = table->RuntimeServices->GetVariable(
      payload::name(name), &payload::bench_vendor, nullptr, &size, &value);
  return status == EFI_SUCCESS ? value : 0;
}

// Fetches the initrd as Linux does: size first, then the bytes.
void report_initrd(Report& report, EFI_SYSTEM_TABLE* table) {
  auto* path = reinterpret_cast<EFI_DEVICE_PATH*>(initrd_path);
  EFI_HANDLE handle = nullptr;
  LoadFile2Protocol* protocol = nullptr;
  const auto before = payload::ticks();
  if (table->BootServices->LocateDevicePath(&load_file2_guid, &path, &handle) != EFI_SUCCESS)
    return;
  table->BootServices->HandleProtocol(handle, &load_file2_guid,
                                      reinterpret_cast<void**>(&protocol));
  UINTN size = 0;
  protocol->load(protocol, path, FALSE, &size, nullptr);
  EFI_PHYSICAL_ADDRESS where = 0;
  if (table->BootServices->AllocatePages(AllocateAnyPages, EfiLoaderData, (size + 4095) / 4096,
                                         &where) != EFI_SUCCESS)
    return;
  const auto status = protocol->load(protocol, path, FALSE, &size, reinterpret_cast<void*>(where));
  const auto taken = payload::ticks() - before;
  if (status != EFI_SUCCESS) return;
  uint32_t sum = 0;  // Adler would do as well: any sum that the harness computes too
  for (UINTN i = 0; i < size; ++i) sum = sum * 31 + reinterpret_cast<const uint8_t*>(where)[i];
  report.number("initrd-size", size);
  report.number("initrd-sum", sum);
  report.number("initrd-ticks", taken);
  table->BootServices->FreePages(where, (size + 4095) / 4096);
}

// The random seed that a boot loader has handed on (LINUX_EFI_RANDOM_SEED_TABLE): size and bytes.
void report_seed(Report& report, EFI_SYSTEM_TABLE* table) {
  for (UINTN i = 0; i < table->NumberOfTableEntries; ++i) {
    const EFI_CONFIGURATION_TABLE& entry = table->ConfigurationTable[i];
    const auto* guid = reinterpret_cast<const uint8_t*>(&entry.VendorGuid);
    const auto* wanted = reinterpret_cast<const uint8_t*>(&seed_table_guid);
    bool equal = true;
    for (unsigned at = 0; at < sizeof(EFI_GUID); ++at) equal = equal && guid[at] == wanted[at];
    if (!equal) continue;
    const auto* seed = static_cast<const uint8_t*>(entry.VendorTable);
    uint32_t size = 0;
    __builtin_memcpy(&size, seed, sizeof(size));
    report.line("seed");
    payload::put_base64(seed + sizeof(size), size < 1024 ? size : 1024);
    report.end_line();
  }
}

}  // namespace

extern "C" EFI_STATUS EFIAPI efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE* table) {
  const auto started = payload::ticks();
  EFI_LOADED_IMAGE* image = nullptr;
  table->BootServices->HandleProtocol(handle, &loaded_image_guid, reinterpret_cast<void**>(&image));
  const auto* line = static_cast<const CHAR16*>(image->LoadOptions);
  const auto pages = payload::free_pages(table);

  if (payload::begins_with(line, "run-data")) {
    payload::put("\ntest kernel: running data\n");
    reinterpret_cast<void (*)()>(code_in_data)();
    payload::put("\ntest kernel: data was run\n");
  }
  Report report;
  report.line("cmdline");
  char narrow[2048];
  UINTN length = 0;
  for (; line != nullptr && line[length] != 0 && length < sizeof(narrow); ++length)
    narrow[length] = static_cast<char>(line[length]);
  payload::put_base64(narrow, length);
  report.end_line();
  if (const auto launched = of_launcher(table, u"Launched")) {
    report.number("ticks", started - launched);
    report.number("pages-taken", of_launcher(table, u"FreePages") - pages);
  }
  report.number("kernel-size", image->ImageSize);
  report.number("free-pages", pages);
  report_initrd(report, table);
  report_pages(report, image, table);
  report_variables(report, table);
  report_seed(report, table);
  report.finish();

  while (payload::begins_with(line, "stay")) table->BootServices->Stall(1000000);
  if (payload::begins_with(line, "return-error")) return EFI_ABORTED;
  if (payload::begins_with(line, "return-success")) return EFI_SUCCESS;
  table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, nullptr);
  return EFI_ABORTED;
}
