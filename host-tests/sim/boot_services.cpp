// SPDX-License-Identifier: MIT
//
// Boot services (UEFI 2.10, chapter 7). They have no `self`: they serve the firmware that is
// running.
#include "host-tests/sim/boot_services.h"

#include <algorithm>
#include <cstring>

#include "host-tests/sim/firmware.h"

namespace keelson::sim {
namespace {

namespace status = efi::status;

Firmware& firmware() { return Firmware::current(); }
Calls& calls() { return firmware().calls(); }

Guid to_guid(const EFI_GUID* guid) {
  Guid result;
  std::memcpy(&result, guid, sizeof(result));
  return result;
}

// What programs speak of, by name, for lists of calls.
std::string name_of(const Guid& guid) {
  struct Row {
    Guid guid;
    std::string_view name;
  };
  constexpr Row rows[] = {
      {efi::protocol_guid::device_path, "DevicePath"},
      {efi::protocol_guid::block_io, "BlockIo"},
      {efi::protocol_guid::simple_file_system, "SimpleFileSystem"},
      {efi::protocol_guid::loaded_image, "LoadedImage"},
      {efi::protocol_guid::load_file2, "LoadFile2"},
      {efi::protocol_guid::tcg2, "Tcg2"},
      {efi::protocol_guid::cc_measurement, "CcMeasurement"},
      {efi::protocol_guid::memory_attribute, "MemoryAttribute"},
      {efi::protocol_guid::security_arch, "SecurityArch"},
      {efi::protocol_guid::security2_arch, "Security2Arch"},
      {efi::protocol_guid::shim_lock, "ShimLock"},
      {efi::protocol_guid::shim_image_loader, "ShimImageLoader"},
      {efi::protocol_guid::timestamp, "Timestamp"},
      {efi::protocol_guid::shell_parameters, "ShellParameters"},
      {efi::protocol_guid::text_input_ex, "TextInputEx"},
      {efi::protocol_guid::graphics_output, "GraphicsOutput"},
      {efi::protocol_guid::text_output, "TextOutput"},
      {efi::protocol_guid::pci_io, "PciIo"},
      {efi::protocol_guid::edid_discovered, "EdidDiscovered"},
      {efi::protocol_guid::device_tree_fixup, "DeviceTreeFixup"},
      {efi::protocol_guid::console_control, "ConsoleControl"},
      {efi::protocol_guid::rng, "Rng"},
  };
  for (const Row& row : rows)
    if (row.guid == guid) return std::string(row.name);
  return guid_text(guid);
}

// ---- Memory ----

EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind, UINTN count,
                                 EFI_PHYSICAL_ADDRESS* address) {
  return firmware().memory().allocate_pages(type, kind, count, address);
}
EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS address, UINTN count) {
  return firmware().memory().free_pages(address, count);
}
EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE kind, UINTN size, void** buffer) {
  return firmware().memory().allocate_pool(kind, size, buffer);
}
EFI_STATUS EFIAPI free_pool(void* buffer) { return firmware().memory().free_pool(buffer); }

// ---- Events and time ----

EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL, EFI_EVENT_NOTIFY notify, void*,
                               EFI_EVENT* event) {
  if (const auto failure = calls().enter("CreateEvent")) return *failure;
  if (type != EVT_TIMER || notify != nullptr) return status::invalid_parameter;
  *event = firmware().events().create_timer();
  return status::success;
}
EFI_STATUS EFIAPI close_event(EFI_EVENT event) {
  calls().note("CloseEvent");
  return firmware().events().close(event);
}
EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 units) {
  if (type == TimerCancel) {
    calls().note("SetTimer");
    return firmware().events().set_timer(event, Events::Timer::cancel, 0);
  }
  if (const auto failure = calls().enter("SetTimer")) return *failure;
  return firmware().events().set_timer(
      event, type == TimerPeriodic ? Events::Timer::periodic : Events::Timer::relative,
      units * 100);
}
EFI_STATUS EFIAPI check_event(EFI_EVENT event) {
  if (const auto failure = calls().enter("CheckEvent")) return *failure;
  return firmware().events().check(event);
}
EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT* events, UINTN* index) {
  if (const auto failure = calls().enter("WaitForEvent")) return *failure;
  for (UINTN i = 0; i < count; ++i)
    if (!firmware().events().exists(events[i])) {
      *index = i;
      return status::invalid_parameter;
    }
  const auto signalled = firmware().events().wait({events, count});
  if (!signalled) firmware().end_run(End::hung);
  firmware().look_at_watchdog();
  *index = *signalled;
  return status::success;
}
EFI_STATUS EFIAPI stall(UINTN microseconds) {
  if (const auto failure = calls().enter("Stall")) return *failure;
  firmware().clock().advance_us(microseconds);
  firmware().look_at_watchdog();
  return status::success;
}
EFI_STATUS EFIAPI get_next_monotonic_count(UINT64* count) {
  return firmware().random().next_count(count);
}
EFI_STATUS EFIAPI set_watchdog_timer(UINTN seconds, UINT64, UINTN, CHAR16*) {
  if (const auto failure = calls().enter("SetWatchdogTimer")) return *failure;
  firmware().set_watchdog(seconds);
  return status::success;
}

// ---- Protocols ----

EFI_STATUS EFIAPI install_protocol(EFI_HANDLE* handle, EFI_GUID* guid, EFI_INTERFACE_TYPE,
                                   void* interface) {
  const Guid protocol = to_guid(guid);
  if (const auto failure = calls().enter("InstallProtocolInterface", name_of(protocol)))
    return *failure;
  const Status result = firmware().handles().install(handle, protocol, interface);
  if (!efi::failed(result)) firmware().images().note_owner(*handle, protocol);
  return result;
}
EFI_STATUS EFIAPI uninstall_protocol(EFI_HANDLE handle, EFI_GUID* guid, void* interface) {
  const Guid protocol = to_guid(guid);
  // What a program installed itself and nobody uses can always be taken away.
  if (firmware().images().is_owner(handle, protocol)) {
    calls().note("UninstallProtocolInterface");
  } else if (const auto failure = calls().enter("UninstallProtocolInterface", name_of(protocol))) {
    return *failure;
  }
  return firmware().handles().uninstall(handle, protocol, interface);
}
EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID* guid, void** interface) {
  const Guid protocol = to_guid(guid);
  if (const auto failure = calls().enter("HandleProtocol", name_of(protocol))) return *failure;
  *interface = nullptr;
  if (!firmware().handles().exists(handle)) return status::invalid_parameter;
  if (!firmware().handles().has(handle, protocol)) return status::unsupported;
  *interface = firmware().handles().find(handle, protocol);
  return status::success;
}
EFI_STATUS EFIAPI open_protocol(EFI_HANDLE handle, EFI_GUID* guid, void** interface,
                                EFI_HANDLE agent, EFI_HANDLE, UINT32 attributes) {
  const Guid protocol = to_guid(guid);
  if (const auto failure = calls().enter("OpenProtocol", name_of(protocol))) return *failure;
  if (attributes != EFI_OPEN_PROTOCOL_GET_PROTOCOL) return status::invalid_parameter;
  *interface = nullptr;
  return firmware().handles().open(handle, protocol, agent, interface);
}
EFI_STATUS EFIAPI close_protocol(EFI_HANDLE handle, EFI_GUID* guid, EFI_HANDLE agent, EFI_HANDLE) {
  calls().note("CloseProtocol");
  return firmware().handles().close(handle, to_guid(guid), agent);
}
EFI_STATUS EFIAPI locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID* guid, void*,
                                       UINTN* count, EFI_HANDLE** buffer) {
  const Guid protocol = to_guid(guid);
  if (const auto failure = calls().enter("LocateHandleBuffer", name_of(protocol))) return *failure;
  if (type != ByProtocol) return status::invalid_parameter;
  const auto found = firmware().handles().with_protocol(protocol);
  *count = found.size();
  *buffer = nullptr;
  if (found.empty()) return status::not_found;
  *buffer =
      static_cast<EFI_HANDLE*>(firmware().memory().give_pool(found.size() * sizeof(EFI_HANDLE)));
  std::ranges::copy(found, *buffer);
  return status::success;
}
EFI_STATUS EFIAPI locate_protocol(EFI_GUID* guid, void*, void** interface) {
  const Guid protocol = to_guid(guid);
  if (const auto failure = calls().enter("LocateProtocol", name_of(protocol))) return *failure;
  *interface = nullptr;
  const auto found = firmware().handles().with_protocol(protocol);
  if (found.empty()) return status::not_found;
  *interface = firmware().handles().find(found.front(), protocol);
  return status::success;
}
EFI_STATUS EFIAPI locate_device_path(EFI_GUID* guid, EFI_DEVICE_PATH** path, EFI_HANDLE* handle) {
  const Guid protocol = to_guid(guid);
  if (const auto failure = calls().enter("LocateDevicePath", name_of(protocol))) return *failure;
  const void* rest = *path;
  const Status result = firmware().handles().locate_path(protocol, &rest, handle);
  *path = static_cast<EFI_DEVICE_PATH*>(const_cast<void*>(rest));
  return result;
}
EFI_STATUS EFIAPI install_configuration_table(EFI_GUID* guid, void* table) {
  return firmware().configuration().install(to_guid(guid), table);
}
EFI_STATUS EFIAPI connect_controller(EFI_HANDLE controller, EFI_HANDLE*, EFI_DEVICE_PATH*,
                                     BOOLEAN) {
  if (const auto failure = calls().enter("ConnectController")) return *failure;
  return firmware().connect(controller) ? status::success : status::not_found;
}

// ---- Images ----

EFI_STATUS EFIAPI load_image(BOOLEAN boot_policy, EFI_HANDLE parent, EFI_DEVICE_PATH* path,
                             void* source, UINTN size, EFI_HANDLE* handle) {
  if (const auto failure = calls().enter("LoadImage", file_path_text(path))) return *failure;
  const Bytes bytes(static_cast<const std::byte*>(source), source == nullptr ? 0 : size);
  return firmware().images().load(boot_policy != FALSE, parent, path, bytes, handle);
}
EFI_STATUS EFIAPI start_image(EFI_HANDLE image, UINTN* data_size, CHAR16** data) {
  if (const auto failure = calls().enter("StartImage")) return *failure;
  *data_size = 0;
  *data = nullptr;
  firmware().set_watchdog(300);  // as for every application
  return firmware().images().start(image);
}
EFI_STATUS EFIAPI unload_image(EFI_HANDLE image) {
  calls().note("UnloadImage");
  return firmware().images().unload(image);
}
EFI_STATUS EFIAPI exit_image(EFI_HANDLE image, EFI_STATUS result, UINTN, CHAR16*) {
  calls().note("Exit");
  return firmware().images().exit(image, result);
}

}  // namespace

BootServices::BootServices() {
  table.Hdr.Signature = EFI_BOOT_SERVICES_SIGNATURE;
  table.Hdr.HeaderSize = sizeof(table);
  table.AllocatePages = allocate_pages;
  table.FreePages = free_pages;
  table.AllocatePool = allocate_pool;
  table.FreePool = free_pool;
  table.CreateEvent = create_event;
  table.CloseEvent = close_event;
  table.SetTimer = set_timer;
  table.CheckEvent = check_event;
  table.WaitForEvent = wait_for_event;
  table.Stall = stall;
  table.SetWatchdogTimer = set_watchdog_timer;
  table.GetNextMonotonicCount = get_next_monotonic_count;
  table.InstallProtocolInterface = install_protocol;
  table.UninstallProtocolInterface = uninstall_protocol;
  table.HandleProtocol = handle_protocol;
  table.OpenProtocol = open_protocol;
  table.CloseProtocol = close_protocol;
  table.LocateHandleBuffer = locate_handle_buffer;
  table.LocateProtocol = locate_protocol;
  table.LocateDevicePath = locate_device_path;
  table.InstallConfigurationTable = install_configuration_table;
  table.ConnectController = connect_controller;
  table.LoadImage = load_image;
  table.StartImage = start_image;
  table.UnloadImage = unload_image;
  table.Exit = exit_image;
}

}  // namespace keelson::sim
