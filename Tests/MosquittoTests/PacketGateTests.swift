import CInterposition
import TestSupport
import Testing

@testable import Mosquitto

@Suite("what is looked at in a packet")
struct PacketGateTests {
    private let gate = CheckedPackets()

    /// A message at QoS 0 with topic `a`.
    private func message(properties: [UInt8], payload: [UInt8] = []) -> [UInt8] {
        [0x00, 0x01, 0x61] + variableInteger(properties.count) + properties + payload
    }

    private let pair: [UInt8] = [0x26, 0x00, 0x01, 0x6E, 0x00, 0x01, 0x76]

    @Test("every property that MQTT 5 knows passes, and no other", arguments: UInt8.min...UInt8.max)
    func identifiers(identifier: UInt8) {
        let values: [UInt8: [UInt8]] = [
            0x01: [1], 0x02: [0, 0, 0, 1], 0x03: [0, 1, 0x61], 0x08: [0, 1, 0x61], 0x09: [0, 1, 0xFF], 0x0B: [0x81, 1],
            0x11: [0, 0, 0, 1], 0x12: [0, 1, 0x61], 0x13: [0, 1], 0x15: [0, 1, 0x61], 0x16: [0, 1, 0x61], 0x17: [1],
            0x18: [0, 0, 0, 1], 0x19: [1], 0x1A: [0, 1, 0x61], 0x1C: [0, 1, 0x61], 0x1F: [0, 1, 0x61], 0x21: [0, 1],
            0x22: [0, 1], 0x23: [0, 1], 0x24: [1], 0x25: [1], 0x26: [0, 1, 0x61, 0, 1, 0x62], 0x27: [0, 0, 0, 1],
            0x28: [1], 0x29: [1], 0x2A: [1],
        ]
        let value = values[identifier]
        var body = message(properties: [identifier] + (value ?? [0, 0, 0, 0]))
        #expect(gate.check(0x30, &body) == (value == nil ? PACKET_PROPERTY_UNKNOWN : PACKET_IS_SOUND))
        guard let value else { return }
        for count in 0..<value.count {
            var cut = message(properties: [identifier] + value.prefix(count), payload: Array(value.dropFirst(count)))
            #expect(gate.check(0x30, &cut) == PACKET_MALFORMED, "one that ends behind the properties")
        }
    }

    @Test(
        "a message is cut behind one user property more than it may have, and keeps its topic",
        arguments: [0, 2_000_000]
    )
    func manyProperties(more: Int) {
        for count in [PacketGate.userProperties, PacketGate.userProperties + 1 + more] {
            var body = message(properties: (0..<count).flatMap { _ in pair }, payload: [1, 2, 3])
            let whole = body
            #expect(gate.check(0x30, &body) == PACKET_IS_SOUND)
            guard count > PacketGate.userProperties else {
                #expect(body == whole)
                continue
            }
            let kept = (PacketGate.userProperties + 1) * pair.count
            let head = [0x00, 0x01, 0x61] + variableInteger(kept)
            #expect(body.count == whole.count)
            #expect(Array(body.prefix(head.count)) == head)
            #expect(Array(body[head.count..<head.count + kept]) == (0..<kept).map { pair[$0 % pair.count] })
        }
    }

    @Test("a packet that is no message, or other properties without number, are refused")
    func tooMany() {
        var suback = [0x00, 0x01] + variableInteger(1_025 * pair.count) + (0..<1_025).flatMap { _ in pair }
        #expect(gate.check(0x90, &suback) == PACKET_PROPERTIES_TOO_MANY)
        var body = message(properties: (0..<100).flatMap { _ in [0x01, 0x00] as [UInt8] })
        #expect(gate.check(0x30, &body) == PACKET_PROPERTIES_TOO_MANY)
    }

    @Test(
        "what the library answers is counted",
        arguments: zip(
            [0x32, 0x34, 0x50, 0x62, 0xC0, 0x30, 0x40, 0x70, 0x90, 0xB0, 0xD0] as [UInt8],
            [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0] as [UInt32]
        )
    )
    func answers(command: UInt8, count: UInt32) {
        var body: [UInt8] = [0x00, 0x01, 0x61, 0x00, 0x01, 0x00]
        _ = gate.check(command, &body)
        #expect(gate.answers == count)
    }

    /// With any bytes: those of the packet alone are read, which AddressSanitizer sees, and what passes has an end.
    @Test("whatever the bytes are, a packet is judged", arguments: Seed.fresh(20))
    func anyBytes(seed: Seed) {
        var random = seed.random
        for _ in 0..<2_000 {
            var body = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.below(256)) }
            // Or nearly all have a topic that is longer than the packet.
            if body.count > 4 { body.replaceSubrange(0..<2, with: [0, UInt8(random.below(4))]) }
            let count = body.count
            let command = UInt8(truncatingIfNeeded: random.below(256))
            let breach = gate.check(command, &body)
            #expect(breach.rawValue <= PACKET_OUT_OF_STEP.rawValue && body.count == count, "\(seed)")
        }
    }
}

/// A gate of its own for packets that are not read.
private final class CheckedPackets {
    private let gate: OpaquePointer

    init() {
        let limits = packet_limits(
            has_properties: true,
            packet_size: .max,
            unreleased: 1_000,
            unreleased_size: .max
        )
        gate = packet_gate_create(limits)!
    }

    deinit { packet_gate_free(gate) }

    var answers: UInt32 { packet_gate_answers(gate) }

    func check(_ command: UInt8, _ body: inout [UInt8]) -> packet_breach {
        // Exactly as long as the packet, so that a sanitizer sees what is read beyond.
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: body.count)
        defer { bytes.deallocate() }
        bytes.initialize(from: body, count: body.count)
        defer { body = Array(UnsafeBufferPointer(start: bytes, count: body.count)) }
        return packet_gate_check(gate, command, bytes, UInt32(body.count))
    }
}
