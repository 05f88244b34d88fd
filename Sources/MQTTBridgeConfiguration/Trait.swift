#if !Bridge
#error("the product MQTTBridgeConfiguration needs the trait Bridge, on unless the manifest says traits: []")
#endif
