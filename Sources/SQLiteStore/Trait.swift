#if !Bridge
#error("the product SQLiteStore needs the trait Bridge, which is on unless the manifest says traits: []")
#endif
