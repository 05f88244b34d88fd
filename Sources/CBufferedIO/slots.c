#define _GNU_SOURCE
#include "CBufferedIO.h"

#if defined(__linux__) && defined(__LP64__)
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FUNCTIONS 4

// The functions that are redirected, and where the library keeps their addresses.
static struct {
    const char *name;
    void *system;
    void *ours;
    void **slot;
} functions[FUNCTIONS] = {
    {"read", (void *)read, (void *)buffered_read, NULL},
    {"write", (void *)write, (void *)buffered_write, NULL},
    {"close", (void *)close, (void *)buffered_close, NULL},
    {"socketpair", (void *)socketpair, (void *)buffered_socketpair, NULL},
};

// The library as the dynamic linker has loaded it.
struct image {
    ElfW(Addr) base, end;
    // What was made read-only when all was linked.
    ElfW(Addr) sealed, sealed_end;
    const ElfW(Dyn) *dynamic;
};

static int find_library(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    const char *file = strrchr(info->dlpi_name, '/');
    if (strncmp(file ? file + 1 : info->dlpi_name, "libmosquitto.so", 15) != 0) return 0;
    struct image *image = context;
    image->base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        ElfW(Addr) start = info->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;
        if (header->p_type == PT_DYNAMIC) image->dynamic = (const ElfW(Dyn) *)start;
        if (header->p_type == PT_LOAD && end > image->end) image->end = end;
        if (header->p_type == PT_GNU_RELRO) (image->sealed = start, image->sealed_end = end);
    }
    return 1;
}

// glibc has added the base to these addresses already, other linkers have not.
static ElfW(Addr) address(const struct image *image, ElfW(Addr) value) {
    return value < image->base ? value + image->base : value;
}

static bool redirect(const struct image *image, void **slot, void *function) {
    ElfW(Addr) page = (ElfW(Addr))slot & ~((ElfW(Addr))getpagesize() - 1);
    bool is_sealed = (ElfW(Addr))slot >= image->sealed && (ElfW(Addr))slot < image->sealed_end;
    if (is_sealed && mprotect((void *)page, (size_t)getpagesize(), PROT_READ | PROT_WRITE) != 0) return false;
    __atomic_store_n(slot, function, __ATOMIC_RELEASE);
    if (is_sealed) mprotect((void *)page, (size_t)getpagesize(), PROT_READ);
    return true;
}

const char *buffered_io_install(void) {
    struct image image = {0};
    if (!dl_iterate_phdr(find_library, &image) || !image.dynamic) return "libmosquitto is not a shared library here";
    const ElfW(Rela) *relocations = NULL;
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    size_t size = 0;
    for (const ElfW(Dyn) *entry = image.dynamic; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_JMPREL: relocations = (const ElfW(Rela) *)address(&image, entry->d_un.d_ptr); break;
        case DT_PLTRELSZ: size = entry->d_un.d_val; break;
        case DT_SYMTAB: symbols = (const ElfW(Sym) *)address(&image, entry->d_un.d_ptr); break;
        case DT_STRTAB: names = (const char *)address(&image, entry->d_un.d_ptr); break;
        }
    }
    if (!relocations || !symbols || !names) return "libmosquitto has no table of the functions that it calls";
    for (size_t i = 0; i < size / sizeof *relocations; i++) {
        const char *name = names + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name;
        for (int f = 0; f < FUNCTIONS; f++) {
            if (strcmp(name, functions[f].name) == 0) functions[f].slot = (void **)(image.base + relocations[i].r_offset);
        }
    }
    for (int f = 0; f < FUNCTIONS; f++) {
        if (!functions[f].slot) return "libmosquitto does not call read, write, close and socketpair by itself";
        // Not called yet, it holds an address inside of the library, which looks the function up.
        void *value = __atomic_load_n(functions[f].slot, __ATOMIC_ACQUIRE);
        bool is_own = (ElfW(Addr))value >= image.base && (ElfW(Addr))value < image.end;
        if (value != functions[f].system && !is_own) return "something else has redirected libmosquitto's calls";
    }
    // Some without the others do no harm: as long as nothing is attached, all goes to the system.
    for (int f = 0; f < FUNCTIONS; f++) {
        if (!redirect(&image, functions[f].slot, functions[f].ours)) return "the system does not let calls be redirected";
    }
    return NULL;
}
#else
const char *buffered_io_install(void) { return "not on this system"; }
#endif
