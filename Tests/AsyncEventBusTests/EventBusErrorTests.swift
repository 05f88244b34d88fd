import Testing

@testable import AsyncEventBus

@Suite("EventBusError")
struct EventBusErrorTests {
    @Test("an error is one line: what was tried, what went wrong, why")
    func description() {
        let error = EventBusError(.refused, operation: "publish \"a\"", detail: "quota exceeded")
        #expect("\(error)" == "publish \"a\": refused: quota exceeded")
    }

    @Test("each code has words of its own")
    func codes() {
        let codes: [EventBusError.Code] = [.invalidName, .invalidPattern, .notRelayed, .notStored, .refused]
        #expect(Set(codes.map(\.description)).count == codes.count)
        #expect(Set(codes).count == codes.count)
    }
}
