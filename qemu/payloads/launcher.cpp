// SPDX-License-Identifier: MIT
// Starts \launch.efi of its own volume and says when: the time stamp goes to the variable
// `Launched` (ticks at StartImage; `Loaded`: ticks that LoadImage took; `FreePages`: then), so that
// what is started can be judged without the firmware's own start. Says what came back, then powers
// off.
#include "payload.h"

namespace {

EFI_GUID loaded_image_guid = LOADED_IMAGE_PROTOCOL;
EFI_GUID device_path_guid = DEVICE_PATH_PROTOCOL;

__attribute__((used, section(".rdata"))) const void* const self = &self;

// Appends the file path node for \launch.efi and the end node to a device path.
size_t append_file(uint8_t* path, size_t length) {
  constexpr char name[] = "\\launch.efi";
  uint8_t* node = path + length;
  node[0] = 4, node[1] = 4;
  size_t size = 4;
  for (char c : name) node[size] = static_cast<uint8_t>(c), node[size + 1] = 0, size += 2;
  node[2] = static_cast<uint8_t>(size), node[3] = 0;
  const uint8_t end[] = {0x7f, 0xff, 4, 0};
  for (size_t i = 0; i < 4; ++i) node[size + i] = end[i];
  return length + size + 4;
}

EFI_STATUS launch(EFI_HANDLE handle, EFI_SYSTEM_TABLE* table) {
  EFI_LOADED_IMAGE* image = nullptr;
  uint8_t* device = nullptr;
  auto* services = table->BootServices;
  services->HandleProtocol(handle, &loaded_image_guid, reinterpret_cast<void**>(&image));
  services->HandleProtocol(image->DeviceHandle, &device_path_guid,
                           reinterpret_cast<void**>(&device));
  uint8_t path[512];
  size_t length = 0;
  while (device[length] != 0x7f && length < 400) {
    const size_t size = device[length + 2] | size_t{device[length + 3]} << 8;
    for (size_t i = 0; i < size; ++i) path[length + i] = device[length + i];
    length += size;
  }
  append_file(path, length);
  EFI_HANDLE child = nullptr;
  const auto before = payload::ticks();
  auto status = services->LoadImage(FALSE, handle, reinterpret_cast<EFI_DEVICE_PATH*>(path),
                                    nullptr, 0, &child);
  uint64_t loaded = payload::ticks() - before;
  if (status != EFI_SUCCESS) return status;
  auto set = [&](const char16_t* text, uint64_t value) {
    table->RuntimeServices->SetVariable(payload::name(text), &payload::bench_vendor,
                                        EFI_VARIABLE_BOOTSERVICE_ACCESS, sizeof(value), &value);
  };
  set(u"Loaded", loaded);
  set(u"FreePages", payload::free_pages(table));
  set(u"Launched", payload::ticks());
  return services->StartImage(child, nullptr, nullptr);
}

}  // namespace

extern "C" EFI_STATUS EFIAPI efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE* table) {
  const auto status = launch(handle, table);
  payload::put("\nlauncher: got back ");
  payload::put_number(status, 16);
  payload::put('\n');
  table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, nullptr);
  return status;
}
