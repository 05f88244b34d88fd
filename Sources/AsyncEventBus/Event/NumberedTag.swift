/// The tags of events that this process emits: a number, a hyphen and a proof, as in `17-x9_qa`.
///
/// Tags travel, and a number alone could be guessed: an attacker could publish the identity of an event before the
/// event itself, which would then count as a duplicate. The proof is a hash of the number with a key of this process
/// (SipHash-1-3 of one word, 30 of its bits). So nobody outside can forge the next tag, and the process recognises its
/// own tags.
enum NumberedTag {
    /// The length of the longest tag: the digits of 64 bits, a hyphen and the proof.
    static let mostBytes = 20 + 1 + proofCount
    /// With nine digits, a tag is still a string without an allocation.
    private static let proofCount = 5
    private static let hyphen = UInt8(ascii: "-")

    private static let key = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    /// Indexed by six bits.
    private static let alphabet = StaticString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    static func text(_ number: UInt64) -> String {
        unsafe String(unsafeUninitializedCapacity: mostBytes) { unsafe write(number, to: $0, at: 0) }
    }

    /// Returns the number of a tag that this process made; nil for any other text.
    static func number(of tag: String) -> UInt64? {
        // The length or the hyphen rules out most foreign texts.
        let bytes = tag.utf8
        guard bytes.count > proofCount + 1, bytes.count <= mostBytes,
            bytes[bytes.index(bytes.endIndex, offsetBy: -proofCount - 1)] == hyphen,
            let number = UInt64(tag[..<bytes.index(bytes.endIndex, offsetBy: -proofCount - 1)])
        else { return nil }
        // Also tells "017" and "+17" from the one spelling.
        return text(number).hasSameBytes(as: tag) ? number : nil
    }

    /// Writes the tag of a number into a large enough buffer, from an offset. Returns the offset behind the tag.
    static func write(_ number: UInt64, to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var (rest, length) = (number, 1)
        while rest >= 10 { (rest, length) = (rest / 10, length + 1) }
        rest = number
        for position in (start..<start + length).reversed() {
            unsafe buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        unsafe buffer[start + length] = hyphen
        var proof = proof(of: number)
        // SAFETY: six bits are an index below 64, and the text has 64 bytes of ASCII.
        let letters = unsafe alphabet.utf8Start
        for position in start + length + 1...start + length + proofCount {
            unsafe buffer[position] = unsafe letters[Int(proof & 63)]
            proof >>= 6
        }
        return start + length + 1 + proofCount
    }

    /// The hash of one word, without the length block: all inputs have the same length.
    private static func proof(of number: UInt64) -> UInt64 {
        var hash = SipHash(key)
        hash.take(number)
        return hash.finish()
    }
}
