internal import CMosquitto

/// Registers the functions that libmosquitto calls. To be done before connecting: the library holds their lock later.
func setCallbacks(on pointer: OpaquePointer) {
    unsafe mosquitto_connect_v5_callback_set(pointer) { _, context, code, flags, properties in
        unsafe inbox(context).connack = unsafe readConnack(code: code, flags: flags, properties: properties)
        unsafe inbox(context).didProgress()
    }
    unsafe mosquitto_message_v5_callback_set(pointer) { _, context, message, properties in
        guard let message = unsafe message else { return }
        let received = unsafe inbox(context)
        received.add(unsafe readMessage(message, properties, received))
        received.didProgress()
    }
    unsafe mosquitto_publish_v5_callback_set(pointer) { _, context, packetID, reason, _ in
        unsafe inbox(context).completed.append((packetID, ReasonCode(rawValue: UInt8(truncatingIfNeeded: reason))))
        unsafe inbox(context).didProgress()
    }
    unsafe mosquitto_subscribe_v5_callback_set(pointer) { _, context, packetID, count, granted, _ in
        let reasons = (0..<Int(count)).map { position in
            ReasonCode(rawValue: unsafe UInt8(truncatingIfNeeded: granted?[position] ?? 0x80))
        }
        unsafe inbox(context).subacks.append((packetID, reasons))
        unsafe inbox(context).didProgress()
    }
    unsafe mosquitto_unsubscribe_v5_callback_set(pointer) { _, context, packetID, _ in
        unsafe inbox(context).unsubacks.append(packetID)
        unsafe inbox(context).didProgress()
    }
    unsafe mosquitto_disconnect_v5_callback_set(pointer) { _, context, code, _ in
        // Codes of the library are below 0x80, and it passes them here too; reasons of a broker that matter are not.
        guard code >= 0x80 else { return }
        unsafe inbox(context).disconnectReason = ReasonCode(rawValue: UInt8(truncatingIfNeeded: code))
    }
    unsafe mosquitto_log_callback_set(pointer) { _, context, level, text in
        guard level & Int32(MOSQ_LOG_ERR) != 0, let text = unsafe text else { return }
        let complaints = unsafe inbox(context).complaints
        if complaints.count < 8 { unsafe inbox(context).complaints.append(unsafe String(cString: text)) }
    }
}

private func inbox(_ context: UnsafeMutableRawPointer?) -> HandleInbox {
    // SAFETY: the context is the inbox of the handle that calls back, which outlives the handle.
    unsafe Unmanaged<HandleInbox>.fromOpaque(context!).takeUnretainedValue()
}

private func readConnack(code: Int32, flags: Int32, properties: OpaquePointer?) -> HandleInbox.Connack {
    let byte = UInt8(truncatingIfNeeded: code)
    var connack = HandleInbox.Connack(
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
    connack.reasonText = unsafe PropertyReader.string(properties, MQTT_PROP_REASON_STRING)
    return connack
}

private func readMessage(
    _ message: UnsafePointer<mosquitto_message>,
    _ properties: OpaquePointer?,
    _ inbox: HandleInbox
) -> Message {
    let raw = unsafe message.pointee
    let size = unsafe Int(raw.payloadlen)
    var payload: [UInt8] = []
    if let bytes = unsafe raw.payload, size > 0, size <= inbox.largestPayload {
        payload = unsafe Array(UnsafeRawBufferPointer(start: bytes, count: size))
    }
    return unsafe Message(
        inbox.topics.topic(raw.topic),
        payload: payload,
        qos: QoS(rawValue: UInt8(truncatingIfNeeded: raw.qos)) ?? .atMostOnce,
        isRetained: raw.retain,
        properties: properties == nil ? nil : PropertyReader.messageProperties(properties),
        omittedPayloadSize: size > inbox.largestPayload ? size : nil
    )
}
