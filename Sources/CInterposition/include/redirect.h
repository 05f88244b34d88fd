// Redirects the calls of one shared library by patching the slots that its relocations fill (the global offset table).
// Calls of other code in the process are not affected.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A function that a library calls, and its replacement.
struct redirected_call {
    const char *_Nonnull name;
    // The current address of the function. A slot with another address was redirected by other code.
    const void *_Nonnull current;
    const void *_Nonnull replacement;
};

// Redirects calls of the shared library that contains the address `place`: all of them or none. Returns NULL, or the
// reason why the calls are unchanged.
//
// `bypasses`: other functions for the same purpose. A library that calls one of them is left unchanged, since some of
// its traffic would bypass the replacements. One thread at a time may call this.
const char *_Nullable redirect_calls(
    const void *_Nullable place,
    const struct redirected_call *_Nonnull calls,
    size_t count,
    const char *_Nonnull const *_Nonnull bypasses,
    size_t bypass_count
);

// As `redirect_calls`, for libmosquitto.
const char *_Nullable redirect_mosquitto_calls(
    const struct redirected_call *_Nonnull calls,
    size_t count,
    const char *_Nonnull const *_Nonnull bypasses,
    size_t bypass_count
);

// Whether the dynamic linker has made the page of `slot` read-only. `start` and `end` bound the RELRO segment, which it
// protects after relocation. It rounds both ends down to pages of `page` bytes.
bool is_sealed(uintptr_t slot, uintptr_t start, uintptr_t end, uintptr_t page);
