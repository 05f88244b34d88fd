internal import CMosquitto
internal import Glibc

extension LibraryHandle {
    /// Passes a message to libmosquitto, which copies it. Returns the packet identifier.
    func publish(_ message: Message) throws(ClientError) -> Int32 {
        var packetID: Int32 = 0
        let properties =
            version == .v5 && !message.isPlain ? try PropertyList(message.properties) : PropertyList()
        let code = unsafe message.topic.withCString { topic in
            unsafe message.payload.withUnsafeBytes { bytes in
                unsafe mosquitto_publish_v5(
                    pointer,
                    &packetID,
                    topic,
                    Int32(bytes.count),
                    bytes.baseAddress,
                    Int32(message.qos.rawValue),
                    message.isRetained,
                    properties.pointer
                )
            }
        }
        guard code == MOSQ_ERR_SUCCESS.rawValue else {
            throw LibraryCode(rawValue: code, systemError: errno).publishError(message.topic)
        }
        return packetID
    }

    /// Queues one SUBSCRIBE for filters with the same QoS and options. Returns the packet identifier.
    func subscribe(
        _ filters: [String],
        qos: QoS,
        optionBits: UInt8,
        identifier: UInt32? = nil
    ) throws(ClientError) -> Int32 {
        var packetID: Int32 = 0
        var properties = PropertyList()
        if let identifier { try properties.add(variable: identifier, MQTT_PROP_SUBSCRIPTION_IDENTIFIER) }
        let code = unsafe withCStrings(filters) { strings, count in
            unsafe mosquitto_subscribe_multiple(
                pointer,
                &packetID,
                count,
                strings,
                Int32(qos.rawValue),
                Int32(optionBits),
                properties.pointer
            )
        }
        try check(code, "subscribe to \"\(escapedForLog(filters[0]))\"")
        return packetID
    }

    /// Queues one UNSUBSCRIBE. Returns the packet identifier.
    func unsubscribe(_ filters: [String]) throws(ClientError) -> Int32 {
        var packetID: Int32 = 0
        let code = unsafe withCStrings(filters) { strings, count in
            unsafe mosquitto_unsubscribe_multiple(pointer, &packetID, count, strings, nil)
        }
        try check(code, "unsubscribe from \"\(escapedForLog(filters[0]))\"")
        return packetID
    }

    private func check(_ code: Int32, _ operation: String) throws(ClientError) {
        let result = LibraryCode(rawValue: code, systemError: errno)
        guard result.isSuccess else { throw result.connectionError(operation) }
    }
}

/// Calls `body` with an array of C strings.
private func withCStrings(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>, Int32) -> Int32
) -> Int32 {
    var copies = unsafe strings.map { unsafe strdup($0) }
    // SAFETY: the copies belong to this function; the library reads them only during the call.
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe copies.withUnsafeMutableBufferPointer { buffer in
        unsafe body(UnsafePointer(buffer.baseAddress!), Int32(buffer.count))
    }
}
