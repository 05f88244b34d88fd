internal import CMosquitto

/// Options that must be set before connecting.
extension LibraryHandle {
    func setLogin(username: String, password: String?) -> LibraryCode {
        LibraryCode(rawValue: unsafe mosquitto_username_pw_set(pointer, username, password), systemError: 0)
    }

    func setPreSharedKey(identity: String, key: String) -> LibraryCode {
        LibraryCode(rawValue: unsafe mosquitto_tls_psk_set(pointer, key, identity, nil), systemError: 0)
    }

    func setSendMaximum(_ maximum: UInt16) {
        _ = unsafe mosquitto_int_option(pointer, MOSQ_OPT_SEND_MAXIMUM, Int32(maximum))
    }

    func setWill(_ will: Will) throws(ClientError) {
        let message = will.message
        var properties = version == .v5 ? try PropertyList(message.properties) : PropertyList()
        if version == .v5, will.delay > .zero {
            try properties.add(int32: will.delay.seconds(upTo: .max), MQTT_PROP_WILL_DELAY_INTERVAL)
        }
        // The library takes ownership of the list, also if the call fails (2.0.11, will_mosq.c).
        let list = unsafe properties.release()
        let code = unsafe message.payload.withUnsafeBytes { bytes in
            unsafe mosquitto_will_set_v5(
                pointer,
                message.topic,
                Int32(bytes.count),
                bytes.baseAddress,
                Int32(message.qos.rawValue),
                message.isRetained,
                list
            )
        }
        let result = LibraryCode(rawValue: code, systemError: 0)
        guard result.isSuccess else { throw result.publishError(message.topic) }
    }
}
