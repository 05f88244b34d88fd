#if !Bridge
#error("the product MQTTBridge needs the trait Bridge, which is on unless the manifest says traits: []")
#endif
