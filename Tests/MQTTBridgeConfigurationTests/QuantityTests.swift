import Testing

@testable import MQTTBridgeConfiguration

@Suite("Quantity")
struct QuantityTests {
    @Test(
        "a duration is a whole number and a unit; only zero needs none",
        arguments: [
            ("0", .zero), ("0s", .zero), ("250ms", .milliseconds(250)), ("30s", .seconds(30)), ("30 s", .seconds(30)),
            ("5m", .seconds(300)), ("2h", .seconds(7_200)), ("7d", .seconds(604_800)), ("007s", .seconds(7)),
            ("9223372036854775807ms", .milliseconds(Int64.max)), ("106751991167d", .seconds(9_223_372_036_828_800)),
        ] as [(String, Duration)]
    )
    func duration(text: String, expected: Duration) throws {
        #expect(try Quantity.duration(text) == expected)
    }

    @Test(
        "what is no duration says why",
        arguments: [
            ("", .notANumber), ("s", .notANumber), ("-1s", .notANumber), ("+1s", .notANumber), ("٣s", .notANumber),
            ("1", .noUnit), ("1.5s", .unknownUnit), ("1S", .unknownUnit), ("1min", .unknownUnit),
            ("1h30m", .unknownUnit),
            ("1e3s", .unknownUnit), ("1s ", .unknownUnit), ("9223372036854775808ms", .tooLarge),
            ("9223372036854775807s", .tooLarge), ("106751991168d", .tooLarge), ("99999999999999999999999h", .tooLarge),
        ] as [(String, Quantity.Failure)]
    )
    func noDuration(text: String, expected: Quantity.Failure) {
        #expect(throws: expected) { try Quantity.duration(text) }
    }

    @Test(
        "a size is a whole number and a unit",
        arguments: [
            ("0", 0), ("512B", 512), ("64KiB", 65_536), ("64 KiB", 65_536), ("1MiB", 1_048_576), ("10MB", 10_000_000),
            ("2kB", 2_000), ("2KB", 2_000), ("1GB", 1_000_000_000), ("1GiB", 1_073_741_824),
            ("8589934591GiB", 9_223_372_035_781_033_984),
        ] as [(String, Int64)]
    )
    func size(text: String, expected: Int64) throws {
        #expect(try Quantity.size(text) == expected)
    }

    @Test(
        "what is no size says why",
        arguments: [
            ("big", .notANumber), ("1", .noUnit), ("1k", .unknownUnit), ("1mib", .unknownUnit), ("1M", .unknownUnit),
            ("8589934592GiB", .tooLarge), ("99999999999999999999B", .tooLarge),
        ] as [(String, Quantity.Failure)]
    )
    func noSize(text: String, expected: Quantity.Failure) {
        #expect(throws: expected) { try Quantity.size(text) }
    }

    @Test(
        "what is written is read as the same",
        arguments: [0, 1, 1_000, 1_024, 60_000, 86_400_000, 90_061_001] as [Int64]
    )
    func roundTrip(number: Int64) throws {
        #expect(try Quantity.duration(Quantity.text(.milliseconds(number))) == .milliseconds(number))
        #expect(try Quantity.size(Quantity.text(number)) == number)
    }
}
