internal import CMosquitto
internal import Glibc

/// A list of MQTT 5 properties to send. Freed with this value, unless released.
@safe struct PropertyList: ~Copyable {
    private(set) var pointer: OpaquePointer?

    init() {
        unsafe pointer = nil
    }

    /// The properties of PUBLISH.
    init(_ properties: MessageProperties) throws(ClientError) {
        unsafe pointer = nil
        guard !properties.isEmpty else { return }
        if let type = properties.contentType { try add(string: type, MQTT_PROP_CONTENT_TYPE) }
        if let topic = properties.responseTopic { try add(string: topic, MQTT_PROP_RESPONSE_TOPIC) }
        if let data = properties.correlationData { try add(binary: data, MQTT_PROP_CORRELATION_DATA) }
        if let expiry = properties.expiry {
            try add(int32: expiry.seconds(upTo: .max), MQTT_PROP_MESSAGE_EXPIRY_INTERVAL)
        }
        if properties.isText { try add(byte: 1, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR) }
        for property in properties.userProperties { try add(pair: property) }
    }

    /// The properties of CONNECT.
    init(connect options: ClientOptions) throws(ClientError) {
        unsafe pointer = nil
        try add(int16: options.limits.receiveMaximum, MQTT_PROP_RECEIVE_MAXIMUM)
        try add(int32: options.limits.maximumPacketSize, MQTT_PROP_MAXIMUM_PACKET_SIZE)
        if options.session.expiry > .zero {
            // 0xFFFFFFFF means that the session never expires (MQTT 5, section 3.1.2.11.2); the longest finite interval
            // is one second less.
            let seconds = options.session.expiry.seconds(upTo: .max - 1)
            try add(int32: seconds, MQTT_PROP_SESSION_EXPIRY_INTERVAL)
        }
    }

    deinit {
        var pointer = unsafe pointer
        unsafe mosquitto_property_free_all(&pointer)
    }

    /// Transfers the ownership of the list to the caller.
    mutating func release() -> OpaquePointer? {
        defer { unsafe pointer = nil }
        return unsafe pointer
    }

    mutating func add(byte: UInt8, _ identifier: mqtt5_property) throws(ClientError) {
        try check(unsafe mosquitto_property_add_byte(&pointer, identifier.code, byte), identifier)
    }

    mutating func add(int16: UInt16, _ identifier: mqtt5_property) throws(ClientError) {
        try check(unsafe mosquitto_property_add_int16(&pointer, identifier.code, int16), identifier)
    }

    mutating func add(int32: UInt32, _ identifier: mqtt5_property) throws(ClientError) {
        try check(unsafe mosquitto_property_add_int32(&pointer, identifier.code, int32), identifier)
    }

    mutating func add(variable: UInt32, _ identifier: mqtt5_property) throws(ClientError) {
        try check(unsafe mosquitto_property_add_varint(&pointer, identifier.code, variable), identifier)
    }

    mutating func add(string: String, _ identifier: mqtt5_property) throws(ClientError) {
        try check(string, identifier)
        let code = unsafe string.withCString { text in
            unsafe mosquitto_property_add_string(&pointer, identifier.code, text)
        }
        try check(code, identifier)
    }

    mutating func add(binary: [UInt8], _ identifier: mqtt5_property) throws(ClientError) {
        guard binary.count <= UInt16.max else { throw failure(identifier, "longer than 65,535 bytes") }
        let code = unsafe binary.withUnsafeBytes { bytes in
            unsafe mosquitto_property_add_binary(&pointer, identifier.code, bytes.baseAddress, UInt16(bytes.count))
        }
        try check(code, identifier)
    }

    mutating func add(pair: MessageProperties.UserProperty) throws(ClientError) {
        try check(pair.name, MQTT_PROP_USER_PROPERTY)
        try check(pair.value, MQTT_PROP_USER_PROPERTY)
        let code = unsafe pair.name.withCString { name in
            unsafe pair.value.withCString { value in
                unsafe mosquitto_property_add_string_pair(&pointer, MQTT_PROP_USER_PROPERTY.code, name, value)
            }
        }
        try check(code, MQTT_PROP_USER_PROPERTY)
    }

    /// Rejects text that libmosquitto would truncate: at a NUL, or by a length beyond 16 bits.
    private func check(_ text: String, _ identifier: mqtt5_property) throws(ClientError) {
        guard text.utf8.count <= UInt16.max else { throw failure(identifier, "longer than 65,535 bytes") }
        guard !text.holdsNUL else { throw failure(identifier, "holds the NUL character") }
    }

    private func check(_ code: Int32, _ identifier: mqtt5_property) throws(ClientError) {
        let result = LibraryCode(rawValue: code, systemError: 0)
        guard result.isSuccess else { throw failure(identifier, result.text) }
    }

    private func failure(_ identifier: mqtt5_property, _ detail: String) -> ClientError {
        ClientError(.invalidProperty, operation: "set \(identifier.name)", detail: detail)
    }
}

extension String {
    fileprivate var holdsNUL: Bool {
        let found = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe bytes.baseAddress.map { unsafe memchr($0, 0, bytes.count) != nil } ?? false
        }
        return found ?? utf8.contains(0)
    }
}

extension mqtt5_property {
    /// The identifier in the type of libmosquitto's functions.
    var code: Int32 { Int32(bitPattern: rawValue) }

    /// The name for error messages.
    fileprivate var name: String {
        switch self {
        case MQTT_PROP_CONTENT_TYPE: "content type"
        case MQTT_PROP_RESPONSE_TOPIC: "response topic"
        case MQTT_PROP_CORRELATION_DATA: "correlation data"
        case MQTT_PROP_USER_PROPERTY: "user property"
        default: "property \(rawValue)"
        }
    }
}

/// Copies the properties that libmosquitto passes to a callback.
enum PropertyReader {
    static func string(_ list: OpaquePointer?, _ identifier: mqtt5_property) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard unsafe mosquitto_property_read_string(list, identifier.code, &value, false) != nil else { return nil }
        return unsafe take(value)
    }

    static func messageProperties(_ list: OpaquePointer?) -> MessageProperties {
        var result = MessageProperties()
        var next = unsafe list
        while let property = unsafe next {
            unsafe read(property, into: &result)
            unsafe next = unsafe mosquitto_property_next(property)
        }
        return result
    }

    private static func read(_ property: OpaquePointer, into result: inout MessageProperties) {
        var (byte, number): (UInt8, UInt32) = (0, 0)
        switch unsafe mqtt5_property(UInt32(bitPattern: mosquitto_property_identifier(property))) {
        case MQTT_PROP_CONTENT_TYPE:
            result.contentType = unsafe string(property, MQTT_PROP_CONTENT_TYPE)
        case MQTT_PROP_RESPONSE_TOPIC:
            result.responseTopic = unsafe string(property, MQTT_PROP_RESPONSE_TOPIC)
        case MQTT_PROP_CORRELATION_DATA:
            var data: UnsafeMutableRawPointer?
            var count: UInt16 = 0
            _ = unsafe mosquitto_property_read_binary(property, MQTT_PROP_CORRELATION_DATA.code, &data, &count, false)
            // SAFETY: the library returns a copy that the caller frees.
            result.correlationData = unsafe Array(UnsafeRawBufferPointer(start: data, count: Int(count)))
            unsafe free(data)
        case MQTT_PROP_MESSAGE_EXPIRY_INTERVAL:
            _ = unsafe mosquitto_property_read_int32(property, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.code, &number, false)
            result.expiry = .seconds(Int64(number))
        case MQTT_PROP_PAYLOAD_FORMAT_INDICATOR:
            _ = unsafe mosquitto_property_read_byte(property, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR.code, &byte, false)
            result.isText = byte == 1
        case MQTT_PROP_SUBSCRIPTION_IDENTIFIER:
            _ = unsafe mosquitto_property_read_varint(property, MQTT_PROP_SUBSCRIPTION_IDENTIFIER.code, &number, false)
            result.subscriptionIdentifiers.append(number)
        case MQTT_PROP_USER_PROPERTY:
            var (name, value): (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?) = (nil, nil)
            _ = unsafe mosquitto_property_read_string_pair(property, MQTT_PROP_USER_PROPERTY.code, &name, &value, false)
            let pair = unsafe (take(name) ?? "", take(value) ?? "")
            result.userProperties.append(.init(pair.0, pair.1))
        default:
            break
        }
    }

    /// Copies a string that the library has allocated for the caller, and frees it.
    private static func take(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        defer { unsafe free(pointer) }
        return unsafe String(cString: pointer)
    }
}
