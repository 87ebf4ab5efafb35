// SPDX-License-Identifier: MIT
//
// TCG2 and confidential-computing measurement (tpm.h).
#include "efi/firmware/tpm.h"

#include <algorithm>

#include "efi/firmware/protocol.h"

namespace keelson::efi {
namespace {

// Larger logs are not believed.
constexpr std::uint64_t largest_log = 64_MiB;
// What LogSnapshot wants of the last event: register and type.
constexpr std::uint64_t event_head = 8;

// TCG2 of firmware that was made before the specification was final answers with the structure of
// its predecessor, where the flag lies elsewhere.
bool says_present(const Tcg2Capability& capability) {
  constexpr std::size_t old_present_flag = 10;
  if (capability.structure_version.major == 1 && capability.structure_version.minor == 0)
    return reinterpret_cast<const UINT8*>(&capability)[old_present_flag] != 0;
  return capability.tpm_present != FALSE;
}

// An event in a buffer of its own; descriptions are short except for command lines.
class EventBuffer {
 public:
  Result<MutableBytes> reserve(std::uint64_t size) {
    if (size <= sizeof(small_)) return MutableBytes(small_).first(static_cast<std::size_t>(size));
    large_ = TRY(Pages::allocate(size));
    return large_.mutable_bytes();
  }

 private:
  std::byte small_[512];
  Pages large_;
};

template <class Interface>
Result<> extend(Interface* protocol, const Measurement& measurement, Bytes event) {
  if (measurement.zeros != 0) return fail(Errc::unsupported, "measurement of bytes not in memory");
  const Status result = protocol->hash_log_extend_event(
      protocol, 0, reinterpret_cast<std::uintptr_t>(measurement.data.data()),
      measurement.data.size(), const_cast<std::byte*>(event.data()));
  // The register was extended, the log has no room for the event (TCG EFI Protocol 6.6.5).
  if (result == status::volume_full) return {};
  return check(result, "measuring failed");
}

Result<> measure_tcg2(Tcg2Protocol* tcg2, const Measurement& measurement) {
  EventBuffer buffer;
  const MutableBytes room = TRY(buffer.reserve(tcg2_event_size(measurement)));
  return extend(tcg2, measurement, TRY(write_tcg2_event(measurement, room)));
}

Result<> measure_cc(CcProtocol* cc, const Measurement& measurement, std::uint32_t register_index) {
  EventBuffer buffer;
  const MutableBytes room = TRY(buffer.reserve(cc_event_size(measurement)));
  return extend(cc, measurement, TRY(write_cc_event(measurement, register_index, room)));
}

template <class Interface>
Result<tcg::LogSnapshot> snapshot(Interface* protocol, UINT32 format) {
  EFI_PHYSICAL_ADDRESS start = 0;
  EFI_PHYSICAL_ADDRESS last = 0;
  BOOLEAN truncated = FALSE;
  TRY(check(protocol->get_event_log(protocol, format, &start, &last, &truncated),
            "event log cannot be read"));
  tcg::LogSnapshot log;
  log.truncated = truncated != FALSE;
  if (start == 0 || last == 0) return log;  // empty
  if (last < start || last - start > largest_log)
    return fail(Errc::malformed, "event log of an impossible size", last - start);
  log.last_event = last - start;
  log.bytes = {reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(start)),
               static_cast<std::size_t>(last - start + event_head)};
  return log;
}

}  // namespace

Tpm Tpm::find() {
  Tpm tpm;
  if (auto* const tcg2 = locate<Tcg2Protocol>(); tcg2 != nullptr) {
    Tcg2Capability capability{};
    capability.size = sizeof(capability);
    if (!failed(tcg2->get_capability(tcg2, &capability)) && says_present(capability)) {
      tpm.tcg2_ = tcg2;
      tpm.knows_banks_ =
          capability.protocol_version.major > 1 ||
          (capability.protocol_version.major == 1 && capability.protocol_version.minor >= 1);
    }
  }
  if (auto* const cc = locate<CcProtocol>(); cc != nullptr) {
    CcCapability capability{};
    capability.size = sizeof(capability);
    if (!failed(cc->get_capability(cc, &capability)) &&
        (capability.supported_event_logs & tcg2_log_tcg_2) != 0)
      tpm.cc_ = cc;
  }
  return tpm;
}

Result<std::uint32_t> Tpm::cc_register_of(std::uint32_t pcr) const {
  if (!has_cc()) return fail(Errc::not_found, "no confidential-computing measurement");
  auto* const cc = static_cast<CcProtocol*>(cc_);
  std::uint32_t index = 0;
  TRY(check(cc->map_pcr_to_mr_index(cc, pcr, &index), "PCR has no measurement register"));
  return index;
}

Result<> Tpm::measure(const Measurement& measurement) const {
  const Result<> by_cc = [&]() -> Result<> {
    if (!has_cc()) return {};
    return measure_cc(static_cast<CcProtocol*>(cc_), measurement,
                      TRY(cc_register_of(measurement.pcr)));
  }();
  const Result<> by_tpm =
      has_tpm() ? measure_tcg2(static_cast<Tcg2Protocol*>(tcg2_), measurement) : Result<>();
  return by_cc.has_value() ? by_tpm : by_cc;
}

std::uint32_t Tpm::active_pcr_banks() const {
  if (!has_tpm()) return 0;
  if (!knows_banks_) return ~std::uint32_t{0};
  auto* const tcg2 = static_cast<Tcg2Protocol*>(tcg2_);
  std::uint32_t banks = 0;
  return failed(tcg2->get_active_pcr_banks(tcg2, &banks)) ? 0 : banks;
}

Result<tcg::LogSnapshot> Tpm::event_log() const {
  if (!has_tpm()) return fail(Errc::not_found, "no TPM");
  auto* const tcg2 = static_cast<Tcg2Protocol*>(tcg2_);
  auto log = snapshot(tcg2, tcg2_log_tcg_2);
  if (log.has_value()) return log;
  return snapshot(tcg2, tcg2_log_tcg_1_2);
}

Result<tcg::LogSnapshot> Tpm::cc_event_log() const {
  if (!has_cc()) return fail(Errc::not_found, "no confidential-computing measurement");
  return snapshot(static_cast<CcProtocol*>(cc_), tcg2_log_tcg_2);
}

}  // namespace keelson::efi
