import Foundation
import MQTTBridge
import Testing

@Suite("Payload as JSON")
struct PayloadJSONTests {
    struct Reading: Codable, Equatable {
        var unit: String
        var bar: Double
    }

    @Test("a value comes back as it went in, with its keys in order")
    func roundTrip() throws {
        let reading = Reading(unit: "a/b", bar: 6.5)
        let payload = try Payload(json: reading)
        #expect(payload.text == #"{"bar":6.5,"unit":"a/b"}"#)
        #expect(try payload.json() == reading)
        #expect(try payload.json(as: Reading.self) == reading)
    }

    @Test("what is no such value throws, and says where")
    func wrong() throws {
        let error = #expect(throws: DecodingError.self) {
            try Payload(#"{"bar":"x","unit":"a"}"#).json(as: Reading.self)
        }
        guard case .typeMismatch(_, let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == ["bar"])
        #expect(throws: EncodingError.self) { try Payload(json: Double.nan) }
    }

    @Test("a payload takes the bytes of Data")
    func data() {
        #expect(Payload(Data([1, 2])).bytes == [1, 2])
    }
}
