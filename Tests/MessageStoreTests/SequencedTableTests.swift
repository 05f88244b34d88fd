import Testing

@testable import MessageStore

@Suite("Sequenced table")
struct SequencedTableTests {
    @Test("values come in the order of their sequences, whatever the order of adding and removing")
    func order() {
        var table = SequencedTable<String>()
        for sequence: Int64 in [5, 1, 3, 2, 4] { table[sequence] = "\(sequence)" }
        table[2] = nil
        table[5] = nil
        table[2] = "again"
        var found: [String] = []
        table.forEach(after: 1) { _, value in
            found.append(value)
            return true
        }
        #expect(found == ["again", "3", "4"])
        #expect(table.count == 4)
        #expect(table.last == 4)
    }

    @Test("a queue that is filled and emptied for long stays as small as what is in it")
    func queue() {
        var table = SequencedTable<Int64>()
        for sequence: Int64 in 1...10_000 {
            table[sequence] = sequence
            if sequence > 10 { table[sequence - 10] = nil }
        }
        #expect(table.count == 10)
        #expect(table.places < 200)
    }
}
