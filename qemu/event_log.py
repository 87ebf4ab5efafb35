# SPDX-License-Identifier: MIT
# TCG event logs as Linux shows them (TCG PC Client Platform Firmware Profile, "Event Logging"): read
# and replayed here, sharing no code with the product or with the tools it is compared with.
import dataclasses
import hashlib
import struct

BANKS = {4: "sha1", 0xB: "sha256", 0xC: "sha384", 0xD: "sha512"}
NO_ACTION, EVENT_TAG, IPL = 3, 6, 0xD


@dataclasses.dataclass(frozen=True)
class Event:
    pcr: int
    type: int
    digests: tuple  # (bank, hex) in the order of the log
    data: bytes

    @property
    def text(self):
        """What a stub or Linux says in an event, without the tag that some have in front; of the
        firmware's own events only the type."""
        if self.type not in (EVENT_TAG, IPL):
            return f"type {self.type:#x}"
        data = self.data[8:] if self.type == EVENT_TAG else self.data
        encoding = "utf-16-le" if data[1:2] == b"\0" else "ascii"
        return data.decode(encoding, "replace").rstrip("\0")


def parse(log):
    """The events of a crypto-agile log, without the one that describes its format."""
    pcr, kind, _, size = struct.unpack_from("<II20sI", log)
    header = log[32:32 + size]
    if (pcr, kind) != (0, NO_ACTION) or not header.startswith(b"Spec ID Event03\0"):
        raise ValueError("not a crypto-agile event log")
    count, = struct.unpack_from("<I", header, 24)
    sizes = dict(struct.unpack_from("<HH", header, 28 + 4 * i) for i in range(count))
    events, at = [], 32 + size
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        at += 12
        digests = []
        for _ in range(count):
            algorithm, = struct.unpack_from("<H", log, at)
            digest = log[at + 2:at + 2 + sizes[algorithm]]
            digests.append((BANKS[algorithm], digest.hex()))
            at += 2 + sizes[algorithm]
        size, = struct.unpack_from("<I", log, at)
        data = log[at + 4:at + 4 + size]
        if len(data) != size:
            raise ValueError(f"the log ends within event {len(events)}")
        at += 4 + size
        events.append(Event(pcr, kind, tuple(digests), data))
    return events


def replay(events):
    """{bank: {PCR: hex}} of the PCRs that the log extends, each starting from zeros."""
    values = {}
    for event in events:
        if event.type == NO_ACTION:
            continue
        for bank, digest in event.digests:
            pcrs = values.setdefault(bank, {})
            before = pcrs.get(event.pcr, "00" * hashlib.new(bank).digest_size)
            pcrs[event.pcr] = hashlib.new(bank, bytes.fromhex(before + digest)).hexdigest()
    return values
