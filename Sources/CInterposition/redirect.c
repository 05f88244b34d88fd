#define _GNU_SOURCE
#include "redirect.h"

#if defined(__linux__) && defined(__LP64__)
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The most slots that are redirected at once.
#define SLOTS 32

// A shared library in memory.
struct image {
    ElfW(Addr) place, base, start, end;
    // The RELRO segment: read-only after relocation.
    ElfW(Addr) sealed, sealed_end;
    const ElfW(Dyn) *dynamic;
};

struct table {
    const ElfW(Rela) *entries;
    size_t size;
};

struct slot {
    void **address;
    const struct redirected_call *call;
};

struct slots {
    struct slot all[SLOTS];
    size_t count;
};

static int find_image(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct image image = {.place = ((struct image *)context)->place, .base = info->dlpi_addr, .start = UINTPTR_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        ElfW(Addr) start = info->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;
        if (header->p_type == PT_DYNAMIC) image.dynamic = (const ElfW(Dyn) *)start;
        if (header->p_type == PT_LOAD && start < image.start) image.start = start;
        if (header->p_type == PT_LOAD && end > image.end) image.end = end;
        if (header->p_type == PT_GNU_RELRO) (image.sealed = start, image.sealed_end = end);
    }
    if (image.place < image.start || image.place >= image.end) return 0;
    *(struct image *)context = image;
    return 1;
}

// glibc has relocated the addresses in the dynamic section; other dynamic linkers have not.
static ElfW(Addr) address(const struct image *image, ElfW(Addr) value) {
    return value < image->base ? value + image->base : value;
}

static bool redirect(const struct image *image, void **slot, const void *function) {
    ElfW(Addr) size = (ElfW(Addr))sysconf(_SC_PAGESIZE), page = (ElfW(Addr))slot & ~(size - 1);
    bool sealed = is_sealed((ElfW(Addr))slot, image->sealed, image->sealed_end, size);
    if (sealed && mprotect((void *)page, size, PROT_READ | PROT_WRITE) != 0) return false;
    __atomic_store_n(slot, (void *)function, __ATOMIC_RELEASE);
    if (sealed) mprotect((void *)page, size, PROT_READ);
    return true;
}

// Appends the slots of the calls to `slots`. Returns false if the library calls one of `bypasses`, or a relocation is
// not supported, or `slots` is full.
static bool find_slots(
    const struct image *image,
    const struct table *table,
    const ElfW(Sym) *symbols,
    const char *names,
    const struct redirected_call *calls,
    size_t count,
    const char *const *bypasses,
    size_t bypass_count,
    struct slots *slots
) {
    for (size_t i = 0; i < table->size / sizeof *table->entries; i++) {
        const ElfW(Rela) *entry = &table->entries[i];
        if (ELF64_R_SYM(entry->r_info) == 0) continue;
        const char *name = names + symbols[ELF64_R_SYM(entry->r_info)].st_name;
        for (size_t b = 0; b < bypass_count; b++) {
            if (strcmp(name, bypasses[b]) == 0) return false;
        }
        for (size_t c = 0; c < count; c++) {
            if (strcmp(name, calls[c].name) != 0) continue;
            if (slots->count == SLOTS || entry->r_addend != 0) return false;
            slots->all[slots->count++] = (struct slot){(void **)(image->base + entry->r_offset), &calls[c]};
        }
    }
    return true;
}

bool is_sealed(uintptr_t slot, uintptr_t start, uintptr_t end, uintptr_t page) {
    return slot >= (start & ~(page - 1)) && slot < (end & ~(page - 1));
}

const char *redirect_calls(
    const void *place,
    const struct redirected_call *calls,
    size_t count,
    const char *const *bypasses,
    size_t bypass_count
) {
    struct image image = {.place = (ElfW(Addr))place};
    if (!place || !dl_iterate_phdr(find_image, &image) || !image.dynamic) return "the library is not a shared one here";
    struct table lazy = {0}, bound = {0};
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    for (const ElfW(Dyn) *entry = image.dynamic; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_JMPREL: lazy.entries = (const ElfW(Rela) *)address(&image, entry->d_un.d_ptr); break;
        case DT_PLTRELSZ: lazy.size = entry->d_un.d_val; break;
        // GLOB_DAT relocations: a library built without a PLT, and addresses of functions that it stores.
        case DT_RELA: bound.entries = (const ElfW(Rela) *)address(&image, entry->d_un.d_ptr); break;
        case DT_RELASZ: bound.size = entry->d_un.d_val; break;
        case DT_SYMTAB: symbols = (const ElfW(Sym) *)address(&image, entry->d_un.d_ptr); break;
        case DT_STRTAB: names = (const char *)address(&image, entry->d_un.d_ptr); break;
        }
    }
    if (!symbols || !names || (!lazy.entries && !bound.entries)) return "the library has no relocation table";
    struct slots slots = {.count = 0};
    if (!lazy.entries) lazy.size = 0;
    if (!bound.entries) bound.size = 0;
    if (!find_slots(&image, &lazy, symbols, names, calls, count, bypasses, bypass_count, &slots) ||
        !find_slots(&image, &bound, symbols, names, calls, count, bypasses, bypass_count, &slots))
        return "the library reads or writes with more functions than are redirected";
    for (size_t c = 0; c < count; c++) {
        bool is_called = false;
        for (size_t s = 0; s < slots.count; s++) is_called = is_called || slots.all[s].call == &calls[c];
        if (!is_called) return "the library does not call each of the functions to redirect";
    }
    for (size_t s = 0; s < slots.count; s++) {
        // Before its first call, a lazy slot points into the library's own PLT, which resolves the function.
        void *value = __atomic_load_n(slots.all[s].address, __ATOMIC_ACQUIRE);
        bool is_own = (ElfW(Addr))value >= image.start && (ElfW(Addr))value < image.end;
        if (value != slots.all[s].call->current && !is_own) return "something else has redirected the library's calls";
    }
    for (size_t s = 0; s < slots.count; s++) {
        if (redirect(&image, slots.all[s].address, slots.all[s].call->replacement)) continue;
        while (s-- > 0) redirect(&image, slots.all[s].address, slots.all[s].call->current);
        return "the system does not permit the redirection of calls";
    }
    return NULL;
}

const char *redirect_mosquitto_calls(
    const struct redirected_call *calls,
    size_t count,
    const char *const *bypasses,
    size_t bypass_count
) {
    // dlsym instead of `&mosquitto_lib_version`: that may be the address of a PLT stub in the executable.
    const void *place = dlsym(RTLD_DEFAULT, "mosquitto_lib_version");
    return redirect_calls(place, calls, count, bypasses, bypass_count);
}
#else
bool is_sealed(uintptr_t slot, uintptr_t start, uintptr_t end, uintptr_t page) {
    return slot >= (start & ~(page - 1)) && slot < (end & ~(page - 1));
}

const char *redirect_calls(
    const void *place,
    const struct redirected_call *calls,
    size_t count,
    const char *const *bypasses,
    size_t bypass_count
) {
    return "not supported on this system";
}

const char *redirect_mosquitto_calls(
    const struct redirected_call *calls,
    size_t count,
    const char *const *bypasses,
    size_t bypass_count
) {
    return "not supported on this system";
}
#endif
