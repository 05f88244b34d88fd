internal import CMosquitto

/// Registers the callbacks. Call it before connecting: later libmosquitto holds the callback lock.
func setCallbacks(on pointer: OpaquePointer) {
    unsafe mosquitto_connect_v5_callback_set(pointer) { _, context, code, flags, properties in
        unsafe callbackBuffer(context).connack = unsafe readConnack(code: code, flags: flags, properties: properties)
        unsafe callbackBuffer(context).didProgress()
    }
    unsafe mosquitto_message_v5_callback_set(pointer) { _, context, message, properties in
        guard let message = unsafe message else { return }
        let received = unsafe callbackBuffer(context)
        received.add(unsafe readMessage(message, properties, received))
        received.didProgress()
    }
    unsafe mosquitto_publish_v5_callback_set(pointer) { _, context, packetID, reason, _ in
        let target = unsafe callbackBuffer(context)
        let code = ReasonCode(rawValue: UInt8(truncatingIfNeeded: reason))
        target.completed.append(.init(packetID: packetID, reason: code, position: target.messageCount))
        unsafe callbackBuffer(context).didProgress()
    }
    unsafe mosquitto_subscribe_v5_callback_set(pointer) { _, context, packetID, count, granted, _ in
        // Ignores reason codes beyond the largest batch.
        let reasons = (0..<min(Int(count), SubscriptionRegistry.batchCount)).map { position in
            ReasonCode(rawValue: unsafe UInt8(truncatingIfNeeded: granted?[position] ?? 0x80))
        }
        unsafe callbackBuffer(context).subacks.append((packetID, reasons))
        unsafe callbackBuffer(context).didProgress()
    }
    unsafe mosquitto_unsubscribe_v5_callback_set(pointer) { _, context, packetID, _ in
        unsafe callbackBuffer(context).unsubacks.append(packetID)
        unsafe callbackBuffer(context).didProgress()
    }
    unsafe mosquitto_disconnect_v5_callback_set(pointer) { _, context, code, _ in
        // Ignores libmosquitto's own codes, which are below 0x80 and arrive here too. A broker's DISCONNECT below 0x80
        // is no error.
        guard code >= 0x80 else { return }
        unsafe callbackBuffer(context).disconnectReason = ReasonCode(rawValue: UInt8(truncatingIfNeeded: code))
    }
    unsafe mosquitto_log_callback_set(pointer) { _, context, level, text in
        guard level & Int32(MOSQ_LOG_ERR) != 0, let text = unsafe text else { return }
        let complaints = unsafe callbackBuffer(context).complaints
        if complaints.count < 8 { unsafe callbackBuffer(context).complaints.append(unsafe String(cString: text)) }
    }
}

private func callbackBuffer(_ context: UnsafeMutableRawPointer?) -> CallbackBuffer {
    // SAFETY: the context is the buffer of the handle that calls back; the buffer outlives the handle.
    unsafe Unmanaged<CallbackBuffer>.fromOpaque(context!).takeUnretainedValue()
}

private func readConnack(code: Int32, flags: Int32, properties: OpaquePointer?) -> CallbackBuffer.Connack {
    let byte = UInt8(truncatingIfNeeded: code)
    var connack = CallbackBuffer.Connack(
        reason: byte < 0x80 ? ReasonCode(connectReturnCode: byte) : ReasonCode(rawValue: byte),
        sessionPresent: flags & 1 != 0
    )
    var (short, long, small): (UInt16, UInt32, UInt8) = (0, 0, 0)
    if unsafe mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM.code, &short, false) != nil {
        connack.receiveMaximum = short
    }
    if unsafe mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE.code, &long, false) != nil {
        connack.maximumPacketSize = long
    }
    if unsafe mosquitto_property_read_byte(properties, MQTT_PROP_MAXIMUM_QOS.code, &small, false) != nil {
        connack.maximumQoS = small
    }
    if unsafe mosquitto_property_read_byte(properties, MQTT_PROP_RETAIN_AVAILABLE.code, &small, false) != nil {
        connack.retainAvailable = small != 0
    }
    if unsafe mosquitto_property_read_byte(properties, MQTT_PROP_WILDCARD_SUB_AVAILABLE.code, &small, false) != nil {
        connack.wildcardsAvailable = small != 0
    }
    if unsafe mosquitto_property_read_byte(properties, MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE.code, &small, false) != nil {
        connack.subscriptionIdentifiersAvailable = small != 0
    }
    connack.reasonText = unsafe PropertyReader.string(properties, MQTT_PROP_REASON_STRING)
    return connack
}

private func readMessage(
    _ message: UnsafePointer<mosquitto_message>,
    _ properties: OpaquePointer?,
    _ callbacks: CallbackBuffer
) -> Message {
    let raw = unsafe message.pointee
    let topic = unsafe callbacks.topics.topic(raw.topic)
    let qos = unsafe QoS(rawValue: UInt8(truncatingIfNeeded: raw.qos)) ?? .atMostOnce
    // The fast path: most messages have no properties.
    guard unsafe properties != nil || Int(raw.payloadlen) > callbacks.largestPayload else {
        return unsafe Message(topic, payload: readPayload(raw), qos: qos, isRetained: raw.retain)
    }
    var properties = unsafe properties == nil ? nil : PropertyReader.messageProperties(properties)
    let size = unsafe Int(raw.payloadlen) + (properties?.userSize ?? 0)
    let isTooLarge =
        size > callbacks.largestPayload || (properties?.userProperties.count ?? 0) > PacketGate.userProperties
    if isTooLarge { properties?.userProperties = [] }
    return unsafe Message(
        topic,
        payload: isTooLarge ? [] : readPayload(raw),
        qos: qos,
        isRetained: raw.retain,
        properties: properties,
        omittedPayloadSize: isTooLarge ? size : nil
    )
}

private func readPayload(_ message: mosquitto_message) -> [UInt8] {
    guard let bytes = unsafe message.payload, unsafe message.payloadlen > 0 else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: Int(message.payloadlen)))
}

extension MessageProperties {
    /// The size of the user properties, in bytes.
    fileprivate var userSize: Int { userProperties.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count } }
}
